# shell: dash
# long
# ruby: threads, sockets, processes, terminals, fibers, ractors, signals.
cat > a.rb <<'R'
require 'socket'; require 'open3'; require 'timeout'; require 'tempfile'; require 'fileutils'; require 'pty'; require 'io/console'; require 'set'; require 'digest'; require 'json'; require 'zlib'; require 'etc'
q = Queue.new; ts = 8.times.map { |i| Thread.new { 100.times { |j| q << i*j }; i } }; p ts.map(&:value), q.size
m = Mutex.new; c = 0; 4.times.map { Thread.new { 1000.times { m.synchronize { c += 1 } } } }.each(&:join); p c
s = TCPServer.new('127.0.0.1', 0); t = Thread.new { 3.times { k = s.accept; k.puts k.gets.upcase; k.close } }
3.times { |i| k = TCPSocket.new('127.0.0.1', s.addr[1]); k.puts "hello #{i}"; puts k.read; k.close }; t.join
r, w = IO.pipe; pid = fork { r.close; w.puts "child"; exit! 3 }; w.close; puts r.read; Process.wait pid; p $?.exitstatus
o, st = Open3.capture2e('sh', '-c', 'cat; echo err >&2; exit 4', stdin_data: "in\n"); puts o; p st.exitstatus
begin; Timeout.timeout(0.2) { sleep 5 }; rescue Timeout::Error => e; puts e.class; end
trap('USR1') { puts 'usr1' }; Process.kill 'USR1', $$; sleep 0.1
PTY.spawn('sh', '-c', 'tty >/dev/null && echo tty; stty size') { |a, b, pid| begin; a.each { |l| print l }; rescue Errno::EIO; end; Process.wait pid }
u = UNIXSocket.pair; u[0].send_io(File.open('/etc/passwd')); puts u[1].recv_io.gets
UNIXServer.open('sock') { |us| th = Thread.new { us.accept.puts 'unix' }; puts UNIXSocket.new('sock').read(5); th.join }
p Digest::SHA256.hexdigest('x' * 100000), Zlib::Inflate.inflate(Zlib::Deflate.deflate('abc' * 1000)).size, JSON.parse(JSON.generate({a: [1, 2.5, nil]}))
f = Fiber.new { 3.times { |i| Fiber.yield i } ; nil }; p 4.times.map { f.resume }
ra = 3.times.map { |i| Ractor.new(i) { |x| (1..1000).sum * x } }.map(&:take); p ra
p File.stat('/etc/passwd').size > 0, Dir.children('/').include?('etc'), Etc.getpwuid(0).name
File.open('l', 'w') { |f| p f.flock(File::LOCK_EX | File::LOCK_NB); f.write 'data' }; p IO.read('l'), File.rename('l', 'l2')
x = IO.popen(['tr', 'a-z', 'A-Z'], 'r+') { |io| io.write 'popen'; io.close_write; io.read }; puts x
udp = UDPSocket.new; udp.bind('127.0.0.1', 0); v = UDPSocket.new; v.send('dg', 0, '127.0.0.1', udp.addr[1]); p udp.recvfrom(10)[0]
p Process.clock_gettime(Process::CLOCK_MONOTONIC).class, Process.getrlimit(:NOFILE).size, `echo sub`, system('exit 7'), $?.exitstatus
p (1..200000).inject { |a, b| (a * 31 + b) % 1000003 }, GC.start, ObjectSpace.count_objects.size > 5
p Addrinfo.tcp('localhost', 80).ip_address, Socket.gethostname.size > 0
at_exit { puts 'bye' }
R
ruby a.rb 2>err; echo $?; grep -v experimental err
