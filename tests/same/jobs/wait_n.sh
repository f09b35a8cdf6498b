# shell: bash
# bash forgets a child that ends before the wait begins (it answers 127, or waits for the next): children end when it has been asleep for a while.
awaited() {
    until [ -e waits ]; do :; done
    for ((looks = 0; looks < 30; looks++)); do
        read -r _ _ state _ </proc/$$/stat
        [ "$state" = S ] || looks=0
    done
}
next() { : >waits; wait -n "$@"; echo $?; rm waits; }
(awaited; exit 5) &
next
mkfifo f
exec 3<>f
(read -r x <&3; exit 6) & a=$!
(awaited; exit 7) &
next
(awaited; echo >&3) & b=$!
disown $b
next
next
