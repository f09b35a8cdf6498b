# long
# node: promises, timers, files, child processes, a web server and its client, worker threads, streams, compression, crypto.
cat >t.js <<'END'
const assert = require('assert'), fs = require('fs'), http = require('http'), cp = require('child_process'), zlib = require('zlib'), crypto = require('crypto'), { Worker } = require('worker_threads'), { pipeline } = require('stream/promises'), events = require('events');
(async () => {
  console.log(process.version, process.argv.length, [3, 1, 2].sort(), `${2 ** 64}`, 2n ** 100n, JSON.stringify({ a: [1, null] }), 'äö'.normalize('NFD').length, new Intl.NumberFormat('en').format(1234567.8));
  await new Promise(r => setTimeout(r, 20)); fs.writeFileSync('f', 'x'.repeat(100000)); console.log((await fs.promises.readFile('f')).length, fs.readdirSync('.').sort().join());
  await pipeline(fs.createReadStream('f'), zlib.createGzip(), fs.createWriteStream('f.gz')); console.log(zlib.gunzipSync(fs.readFileSync('f.gz')).length, crypto.createHash('sha256').update('x').digest('hex').slice(0, 16));
  console.log(cp.execSync('echo $((6*7))').toString().trim(), cp.spawnSync('false').status); const child = cp.spawn('cat'); child.stdin.end('through'); child.stdout.on('data', d => console.log(String(d))); await events.once(child, 'close');
  const server = http.createServer((q, s) => { let n = 0; q.on('data', d => n += d.length).on('end', () => s.end(q.url + ' ' + n)); }); await new Promise(r => server.listen(0, '127.0.0.1', r));
  const get = (path, body) => new Promise(r => http.request({ port: server.address().port, host: '127.0.0.1', path, method: 'POST' }, m => { let t = ''; m.on('data', d => t += d).on('end', () => r(t)); }).end(body));
  console.log(await Promise.all([1, 2, 3].map(n => get('/' + n, 'b'.repeat(n * 1000))))); server.close();
  const w = new Worker("const { parentPort } = require('worker_threads'); parentPort.on('message', n => { let s = 0; for (let i = 0; i < n; i++) s += i; parentPort.postMessage(s); parentPort.close(); });", { eval: true }); w.postMessage(100000); console.log((await events.once(w, 'message'))[0]);
  let s = 0; for (let i = 0; i < 3e6; i++) s = (s * 31 + i) | 0; console.log(s); class A { #x = 1; get x() { return this.#x; } } console.log(new A().x, [...'abc'.matchAll(/./g)].length, process.memoryUsage().rss > 1e6);
  try { fs.readFileSync('/nowhere'); } catch (e) { console.log(e.code); } process.on('SIGUSR2', () => { console.log('signal'); process.exit(7); }); process.kill(process.pid, 'SIGUSR2'); setTimeout(() => {}, 5000);
})();
END
node t.js a; echo $?; node -e 'throw new Error("bad")' 2>&1 | grep -c 'Error: bad'; echo 'console.log(1+1)' | node -; node -p 'os.EOL.length + require("path").join("a", "..", "b")'
