# shell: bash
n=0
trap 'n=$((n + 1))' CHLD
for i in 1 2 3; do (exit $i) & wait $!; done
[ $n -ge 3 ] && echo "at least three"
