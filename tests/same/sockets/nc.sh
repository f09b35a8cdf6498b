# Two that talk through a connection, each until the other has done.
port=$((30000 + $$ % 10000))
echo "from who listens" | busybox nc -l -p $port >heard &
server=$!
tries=0
until echo "from who connects" | busybox nc 127.0.0.1 $port >said 2>/dev/null || [ $tries -ge 200 ]; do
    tries=$((tries + 1))
    usleep 20000
done
wait $server
echo "server: $?"
cat said heard
