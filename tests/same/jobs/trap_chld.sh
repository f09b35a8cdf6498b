# shell: bash
# The trap runs once for each child. They are waited for in the foreground: bash 5.2 now and then crashes where one ends as `wait` begins, on Linux, too.
n=0
trap 'n=$((n + 1))' CHLD
for i in 1 2 3; do (exit $i); done
[ $n -ge 3 ] && echo "at least three"
