start-stop-daemon -S -b -m -p pidfile -x /bin/sleep -- 100
while [ ! -s pidfile ]; do sleep 0.01; done
kill -0 $(cat pidfile); echo $?
start-stop-daemon -K -q -p pidfile; echo $?
