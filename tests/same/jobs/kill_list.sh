kill -l 9; kill -l 15; kill -l 143
kill -l | tr ' ' '\n' | grep -c .
/bin/busybox kill -l | grep -c .
