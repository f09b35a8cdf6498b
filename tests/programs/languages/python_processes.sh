# shell: python3
# long
# multiprocessing with each start method, shared memory between processes, pools, pty, a web server and its client, and the interpreter's own errors.
import http.client, http.server, multiprocessing as mp, os, pty, socketserver, sys, threading, traceback, urllib.request
def square(n): return n * n
def child(q): q.put(os.getpid() != parent)
parent = os.getpid()
if __name__ == "__main__":
    with mp.get_context("fork").Pool(3) as pool: print(pool.map(square, range(20)))
    ctx = mp.get_context("fork"); q = ctx.SimpleQueue(); p = ctx.Process(target=child, args=(q,)); p.start(); print(q.get()); p.join(); print(p.exitcode)
    a, b = ctx.Pipe(); a.send({"k": [1]}); print(b.recv())
    pid, fd = pty.fork()
    if pid == 0: print(os.isatty(0)); sys.stdout.flush(); os._exit(0)
    print(os.read(fd, 100)); os.waitpid(pid, 0)
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self): body = self.path.encode() * 1000; self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
        def log_message(self, *a): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler); threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d/path" % server.server_address[1]; print([len(urllib.request.urlopen(url).read()) for _ in range(5)]); server.shutdown()
    try: open("/nowhere")
    except OSError as e: print(e.errno, e)
    try: [].pop()
    except IndexError: print(traceback.format_exc().splitlines()[-1])
