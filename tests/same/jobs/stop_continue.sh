# SIGSTOP and SIGCONT: progress halts, then goes on.
mkfifo f; exec 3<>f
(read -r x <&3; echo "read $x") & p=$!
kill -STOP $p
while ! grep -q '^State:.T' /proc/$p/status; do sleep 0.01; done
echo stopped
echo hello >&3
kill -CONT $p
wait $p; echo $?
