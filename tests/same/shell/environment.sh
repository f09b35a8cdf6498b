export A=1 B='two words'; C=3
sh -c 'echo "$A|$B|$C"'
A=9 sh -c 'echo $A'; echo $A
env -i X=1 sh -c 'env' | grep X
unset A; sh -c 'echo "${A-unset}"'
env | sort
