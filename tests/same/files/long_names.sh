n=$(printf '%0255d' 7); echo x >$n; ls | wc -c; cat $n; echo x >${n}8; echo $?
i=0; while [ $i -lt 10 ]; do mkdir $n$ 2>/dev/null; d=$(printf '%0200d' $i); mkdir $d; cd $d; i=$((i + 1)); done
pwd | wc -c; echo far >f; cat f; cd $HOME; find . -name f -exec cat {} \;
cat $(printf '/%0250d' $(seq 1 20)); echo $?
