# shell: lksh
mkfifo f; exec 3<>f
(exit 3) & wait $!; echo $?
trap 'echo caught' USR1; kill -USR1 $$
(echo ready >f; exec /bin/busybox sleep 100) & p=$!
read -r x <&3
while [ "$(cat /proc/$p/comm)" != busybox ]; do /bin/sleep 0.01; done
kill $p; wait $p; echo $?
trap 'echo bye $?' EXIT
exit 6
