exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
wait 99999; echo $?
true & p=$!
wait $p; echo $?
