timeout 0.2 sleep 10; echo $?
timeout 5 true; echo $?
timeout 5 sh -c 'exit 9'; echo $?
timeout -s KILL 0.2 sleep 10; echo $?
timeout 1 nosuchcommand; echo $?
