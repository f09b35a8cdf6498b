# shell: bash
(exit 5) &
wait -n; echo $?
mkfifo f
(read -r x <f; exit 6) & a=$!
(exit 7) &
wait -n; echo $?
echo >f
wait -n; echo $?
wait -n; echo $?
