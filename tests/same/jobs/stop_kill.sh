exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
sleep 100 & p=$!
kill -STOP $p; kill -TERM $p; kill -CONT $p
wait $p; echo $?
sleep 100 & p=$!
kill -STOP $p; kill -KILL $p
wait $p; echo $?
