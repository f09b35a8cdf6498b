# A group of its own, all killed at once.
exec 2>/dev/null
mkfifo f; exec 3<>f
setsid sh -c 'echo $$ >pid; sleep 100 & sleep 100 & echo ready >f; wait; echo not reached' &
read -r x <&3
kill -TERM -$(cat pid)
wait $!; echo $?
