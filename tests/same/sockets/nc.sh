# Two that talk through a connection, each until the other has done. What they say lies in files: nc ends when its peer has, said all or not.
port=$((30000 + $$ % 10000))
echo "from who listens" >listens
echo "from who connects" >connects
busybox nc -l -p $port <listens >heard &
server=$!
tries=0
until busybox nc 127.0.0.1 $port <connects >said 2>/dev/null || [ $tries -ge 200 ]; do
    tries=$((tries + 1))
    usleep 20000
done
wait $server
echo "server: $?"
cat said heard
