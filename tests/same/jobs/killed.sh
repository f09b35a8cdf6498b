exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
sleep 100 & p=$!
kill $p
wait $p; echo $?
sleep 100 & p=$!
kill -9 $p
wait $p; echo $?
sleep 100 & p=$!
kill -s HUP $p
wait $p; echo $?
