# shell: bash
# bash may answer 127 once when a child ends between its start and the wait: ask again.
next() { for _ in {1..50}; do wait -n "$@"; s=$?; [ $s = 127 ] || break; done; echo $s; }
(exit 5) &
next
mkfifo f
exec 3<>f
(read -r x <&3; exit 6) & a=$!
(exit 7) &
next
echo >&3
next
wait -n; echo $?
