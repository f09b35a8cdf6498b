# shell: bash
# long
# curl against a local server: files, ranges, posts, redirects refused, errors; over IPv4 and IPv6 names.
mkdir www; seq 1 20000 >www/n; echo index >www/index.html
cat >server.py <<'END'
import http.server, os
class H(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])); self.send_response(201); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body[::-1])
    def log_message(self, *a): pass
os.chdir("www"); s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); open("../port.new", "w").write(str(s.server_address[1])); os.rename("../port.new", "../port"); s.serve_forever()
END
python3 server.py & until [ -e port ]; do sleep 0.05; done; u=http://127.0.0.1:$(cat port)
curl -s $u/n | cmp - www/n && echo same; curl -s $u/; curl -sI $u/n | tr -d '\r' | grep -E '^(HTTP|Content-length)' -i; curl -s -o out -w '%{http_code} %{size_download} %{num_connects}\n' $u/n; curl -s -d 'hello world' $u/post; echo; curl -s --data-binary @www/n $u/x | md5sum; curl -s -w '%{http_code}\n' -o /dev/null $u/missing; curl -sf $u/missing; echo $?; curl -s http://127.0.0.1:9/; echo $?; curl -s $u/index.html $u/index.html; curl -s --parallel -o p1 $u/n -o p2 $u/n 2>/dev/null; cmp p1 p2 && echo parallel; curl -s file:///$PWD/www/index.html; curl -s -T www/n $u/put -w '%{http_code}\n' -o /dev/null; curl -s http://no.such.host.invalid/; echo $?; curl --version | head -1 | cut -d' ' -f1,2; kill %1; wait
