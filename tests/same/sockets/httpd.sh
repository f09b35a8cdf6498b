# A web server and its clients over the loopback: small and large pages, one that is not there, and nobody any more.
mkdir www
echo "hello from a server" >www/page
yes 0123456789 | head -c 300000 >www/large
port=$((20000 + $$ % 10000))
busybox httpd -f -p 127.0.0.1:$port -h www &
server=$!
tries=0
until busybox wget -q -O got http://127.0.0.1:$port/page 2>/dev/null || [ $tries -ge 200 ]; do
    tries=$((tries + 1))
    usleep 20000
done
cat got
for i in 1 2 3; do
    busybox wget -q -O large.$i http://127.0.0.1:$port/large &
    client="$client $!"
done
wait $client
cmp large.1 www/large && cmp large.2 www/large && cmp large.3 www/large && echo same
busybox wget -q -O - http://127.0.0.1:$port/missing 2>/dev/null
echo "missing: $?"
kill $server
wait $server 2>/dev/null # some shells tell of the signal, some of the time
echo "server: $?"
busybox nc 127.0.0.1 $port </dev/null 2>/dev/null
echo "nobody: $?"
