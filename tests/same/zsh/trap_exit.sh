# shell: zsh
f() { trap 'print left f' EXIT; print in f }; f; TRAPEXIT() { print "script ends $?" }; (trap 'print sub' EXIT); setopt err_exit; false; print unreached
