# shell: python3
# subprocess, threads, asyncio over the loopback, sqlite3, multiprocessing, files, signals, and much of the library.
import asyncio, bz2, collections, concurrent.futures, csv, ctypes, datetime, decimal, fractions, glob, gzip, hashlib, io, itertools, json, lzma, mmap, os, pathlib, pickle, queue
import random, re, select, shutil, signal, socket, sqlite3, statistics, struct, subprocess, sys, tempfile, textwrap, threading, time, unicodedata, uuid, xml.etree.ElementTree as et, zipfile, zlib
print(sys.version.split()[0], sys.prefix, os.getcwd(), sys.argv[0])
r = subprocess.run(["cat"], input=b"through a pipe", capture_output=True); print(r.stdout, r.returncode)
print(subprocess.check_output("echo $((6*7)); exit 0", shell=True, text=True), subprocess.call(["false"]))
try: subprocess.run(["sleep", "5"], timeout=0.2)
except subprocess.TimeoutExpired as e: print("timeout", e.cmd)
p = subprocess.Popen(["sleep", "9"]); p.terminate(); print(p.wait())
total, lock = 0, threading.Lock()
def add():
    global total
    for _ in range(500):
        with lock: total += 1
threads = [threading.Thread(target=add) for _ in range(8)]; [t.start() for t in threads]; [t.join() for t in threads]; print(total)
q = queue.Queue(2)
def produce():
    for i in range(50): q.put(i)
    q.put(None)
threading.Thread(target=produce).start(); print(sum(iter(q.get, None)))
with concurrent.futures.ThreadPoolExecutor(4) as pool: print(sum(pool.map(lambda n: n * n, range(100))))
async def serve(reader, writer):
    while line := await reader.readline(): writer.write(line.upper()); await writer.drain()
    writer.close()
async def talk():
    server = await asyncio.start_server(serve, "127.0.0.1", 0); port = server.sockets[0].getsockname()[1]
    async def client(n):
        r, w = await asyncio.open_connection("127.0.0.1", port); out = []
        for i in range(5): w.write(f"client {n} line {i}\n".encode()); out.append(await r.readline())
        w.close(); return out
    got = await asyncio.gather(*(client(n) for n in range(8))); server.close()
    proc = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1); out, _ = await proc.communicate(b"async child")
    try: await asyncio.wait_for(asyncio.sleep(9), 0.1)
    except asyncio.TimeoutError: print("asyncio timeout")
    return got[7][4], sum(map(len, got)), out
print(asyncio.run(talk()))
db = sqlite3.connect("db"); db.execute("pragma journal_mode=wal"); db.execute("create table t(a integer primary key, b text)")
with db: db.executemany("insert into t(b) values(?)", ((str(i),) for i in range(2000)))
print(db.execute("select count(*), sum(a), max(b) from t").fetchone(), sorted(os.listdir())); db.close()
with open("m", "wb") as f: f.write(b"\0" * 10000)
with open("m", "r+b") as f, mmap.mmap(f.fileno(), 0) as m: m[5000:5005] = b"hello"; print(m.find(b"hello"))
print(open("m", "rb").read()[5000:5005]); seen = []
signal.signal(signal.SIGALRM, lambda *a: seen.append(a[0])); signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2); print(seen)
pid = os.fork()
if pid == 0: os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); a, b = socket.socketpair(); a.send(b"x"); print(select.select([b], [], [], 1)[0] == [b], b.recv(9))
for c in (zlib, bz2, lzma, gzip): print(c.__name__, len(c.decompress(c.compress(b"abc" * 10000))))
print(hashlib.sha256(b"x").hexdigest()[:16], json.dumps({"a": [1, 2.5, None]}), re.findall(r"\d+", "a1b22"), decimal.Decimal(1) / 7, fractions.Fraction(1, 3) + 1, datetime.date(2024, 2, 29).isoformat(), struct.pack("<IQ", 1, 2), 2 ** 100)
print(ctypes.CDLL(None).abs(-5), ctypes.string_at(b"ctypes"), unicodedata.name("é"), et.fromstring("<a><b c='1'/></a>")[0].attrib, statistics.mean([1, 2, 4]), list(itertools.permutations("abc"))[-1], collections.Counter("hello").most_common(1))
with tempfile.TemporaryDirectory() as d: pathlib.Path(d, "x").write_text("text"); print(glob.glob(d + "/*")[0].endswith("/x")); shutil.copytree(d, "copy"); print(os.listdir("copy"))
with zipfile.ZipFile("z.zip", "w", zipfile.ZIP_DEFLATED) as z: z.writestr("a", "b" * 1000)
print(zipfile.ZipFile("z.zip").read("a")[:3]); print(pickle.loads(pickle.dumps({1: {2}})), textwrap.fill("word " * 10, 20)); sys.stderr.write("to stderr\n"); random.seed(1); print(random.random()); raise SystemExit(3)
