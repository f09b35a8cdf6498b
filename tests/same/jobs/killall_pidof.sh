exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
cp /bin/busybox ./sleep
./sleep 100 & p=$!
while [ "$(cat /proc/$p/comm)" != sleep ]; do sleep 0.01; done
pidof sleep >pids; echo $?
grep -qw $p pids && echo found
killall -q nosuchname; echo $?
kill $p; wait $p; echo $?
