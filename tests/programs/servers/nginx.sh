# shell: dash
# long
# nginx: two workers with a socket of their own each (reuseport), a proxy, a local socket, compression, another configuration, a graceful end.
mkdir -p www logs t; chmod 777 logs t; chmod 755 . www; seq 20000 >www/big; echo hello >www/index.html
cat >n.conf <<R
daemon off; worker_processes 2; error_log $PWD/logs/e; pid $PWD/pid; user www-data;
events { worker_connections 64; }
http { access_log $PWD/logs/a; client_body_temp_path $PWD/t; proxy_temp_path $PWD/t; fastcgi_temp_path $PWD/t; uwsgi_temp_path $PWD/t; scgi_temp_path $PWD/t;
 sendfile on; tcp_nopush on; gzip on; gzip_types *;
 server { listen 127.0.0.1:8081 reuseport; root $PWD/www; location /p/ { proxy_pass http://127.0.0.1:8082/; } location /s { return 302 /x; } }
 server { listen 127.0.0.1:8082; listen unix:$PWD/sock; root $PWD/www; } }
R
nginx -e logs/e -c $PWD/n.conf 2>/dev/null & N=$!
for i in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:8081/ && break; sleep 0.1; done
curl -s http://127.0.0.1:8081/; curl -s http://127.0.0.1:8081/p/big | sha256sum; curl -s --compressed http://127.0.0.1:8081/big | sha256sum
curl -s --unix-socket sock http://x/; curl -s -r 100-120 http://127.0.0.1:8081/big; curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8081/nope http://127.0.0.1:8081/s
head -c 300000 /dev/zero | curl -s -o /dev/null -w '%{http_code}\n' --data-binary @- http://127.0.0.1:8081/p/big
for i in $(seq 20); do curl -s http://127.0.0.1:8081/index.html & done | sort | uniq -c
kill -HUP $N; for i in $(seq 50); do curl -s http://127.0.0.1:8081/ && break; sleep 0.1; done; kill -QUIT $N; wait $N; echo $?; grep -c -E 'emerg|alert|crit' logs/e
