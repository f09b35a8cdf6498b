# shell: bash
s='Hello World'; echo ${s,,} ${s^^} ${s~~} ${s:0:5} ${s: -5} ${s/o/0} ${s//o/0} ${s/#Hello/Bye} ${s/%World/You} ${#s}
printf '%q %s\n' "a b'c" "${s@Q}"; v=s; echo ${!v}; declare -n r=s; r=new; echo $s; printf -v out '%05d' 42; echo $out
