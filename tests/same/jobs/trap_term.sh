exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
(trap 'echo caught; exit 9' TERM; echo ready >r; while :; do sleep 0.01; done) & p=$!
while [ ! -s r ]; do sleep 0.01; done
kill $p
wait $p; echo $?
