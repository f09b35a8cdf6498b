exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
trap 'echo handler' USR1
sleep 100 & s=$!
(sleep 0.1; kill -USR1 $$) &
wait $s; echo "wait gave $?"
kill $s; wait $s; echo "then $?"
