exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
sleep 100 &
sleep 101 &
jobs | sed 's/  */ /g'
kill %1 %2
wait
echo done
