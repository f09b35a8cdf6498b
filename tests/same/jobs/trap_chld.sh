# shell: bash
# The trap runs once for each child; bash may say that it lost one, which is not looked at.
n=0
trap 'n=$((n + 1))' CHLD
{ for i in 1 2 3; do (exit $i) & wait; done; } 2>/dev/null
[ $n -ge 3 ] && echo "at least three"
