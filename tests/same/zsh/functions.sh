# shell: zsh
f() { local x=$1; (( x > 0 )) || return 3; print $x; f $((x - 1)) }; f 3; print $?; () { print "anonymous $1" } arg; g() { print $#; }; g a b; always_test() { { print try; return 2 } always { print finally } }; always_test; print $?
