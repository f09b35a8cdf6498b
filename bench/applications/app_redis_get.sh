# 50 clients, 20,000 requests over the loopback.
redis-server --port 7777 --bind 127.0.0.1 --save '' --logfile log --dir . &
until [ "$(redis-cli -p 7777 ping 2>/dev/null)" = PONG ]; do sleep 0.1; done
timed redis-benchmark -p 7777 -t get -n 20000 -q
redis-cli -p 7777 shutdown nosave
wait
