# shell: mksh
function f { typeset x=$1; print "f $x"; return 4; }; f a; print $?; g() { [[ $1 -le 1 ]] && { print 1; return; }; print $(($1 * $(g $(($1 - 1))))); }; g 10; x=${ print inline; }; print $x; x=${|REPLY=fast;}; print $x
