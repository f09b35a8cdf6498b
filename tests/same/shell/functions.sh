f() { echo "args $# $1"; return 5; }
f one two; echo $?
fact() { [ "$1" -le 1 ] && echo 1 && return; echo $(($1 * $(fact $(($1 - 1))))); }
fact 10
g() { local x=inner; h; }
h() { echo "h sees $x"; }
x=outer; g; echo $x
unset -f f; f 2>/dev/null; echo $?
