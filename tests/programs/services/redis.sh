# shell: bash
# long
# redis-server over the loopback: commands, pipelines, transactions, scripts, persistence in a child, redis-benchmark.
redis-server --port 7777 --bind 127.0.0.1 --save '' --daemonize no --logfile log --dir . &
for i in $(seq 100); do [ "$(redis-cli -p 7777 ping 2>/dev/null)" = PONG ] && break; sleep 0.1; done
r() { redis-cli -p 7777 "$@"; }
r set a 1; r incr a; r get a; r rpush l x y z; r lrange l 0 -1; r hset h f v g w; r hgetall h; r zadd z 2 two 1 one; r zrange z 0 -1 withscores; r expire a 100; r ttl a; r eval 'return redis.call("get", KEYS[1]) .. ARGV[1]' 1 a x
seq 1 2000 | sed 's/.*/SET key& value&/' | r --pipe | tail -1; r dbsize; printf 'multi\nset t 1\nincr t\nexec\n' | r; (timeout 5 redis-cli -p 7777 subscribe ch | head -6 | tail -1 &) ; for i in $(seq 50); do [ "$(r publish ch message)" = 1 ] && break; sleep 0.1; done
r bgsave; for i in $(seq 100); do r info persistence | grep -q 'rdb_bgsave_in_progress:0' && break; sleep 0.1; done; ls dump.rdb; redis-check-rdb dump.rdb | tail -1 | cut -d' ' -f2-; redis-benchmark -p 7777 -n 2000 -c 10 -q -t set,get 2>&1 | tr '\r' '\n' | grep -c 'requests per second'
r shutdown nosave; wait; echo "server $?"; r ping 2>&1
