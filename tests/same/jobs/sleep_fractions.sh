sleep 0; echo $?
sleep 0.01; echo $?
usleep 1000; echo $?
sleep x; echo $?
