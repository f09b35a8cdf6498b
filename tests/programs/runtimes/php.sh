# shell: dash
# long
# php: processes, signals, streams, sqlite, System V shared memory and messages.
cat > a.php <<'R'
<?php
$p = proc_open(['tr','a-z','A-Z'], [['pipe','r'],['pipe','w']], $pipes); fwrite($pipes[0], "hello"); fclose($pipes[0]); echo stream_get_contents($pipes[1]), "\n"; echo proc_close($p), "\n";
$pid = pcntl_fork(); if (!$pid) { exit(5); } pcntl_waitpid($pid, $s); echo pcntl_wexitstatus($s), "\n";
pcntl_async_signals(true); pcntl_signal(SIGUSR1, function() { echo "usr1\n"; }); posix_kill(posix_getpid(), SIGUSR1);
$db = new PDO('sqlite:x.db'); $db->exec('create table t(a int, b text)'); $st = $db->prepare('insert into t values(?,?)'); for ($i=0;$i<200;$i++) $st->execute([$i, "r$i"]); echo $db->query('select count(*), sum(a) from t')->fetch()[1], "\n";
$s = stream_socket_server('tcp://127.0.0.1:0'); $n = stream_socket_get_name($s, false); $c = stream_socket_client("tcp://$n"); $a = stream_socket_accept($s); fwrite($c, "ping\n"); echo fgets($a); fclose($c); var_dump(feof($a) || fgets($a)===false);
echo json_encode(['a'=>[1,2,['x'=>null]]]), md5(str_repeat('x', 100000)), "\n"; echo preg_replace('/(\w+) (\w+)/', '$2 $1', 'hello world'), "\n";
file_put_contents('f', 'abc', LOCK_EX); file_put_contents('f', 'def', FILE_APPEND); echo file_get_contents('f'), filesize('f'), "\n"; print_r(scandir('.'));
$x = 0; for ($i = 0; $i < 300000; $i++) { $x = ($x * 31 + $i) % 1000003; } echo $x, "\n"; echo shell_exec('echo sh; exit 3'); $o=[]; exec('seq 3', $o, $r); echo implode(',', $o), $r, "\n";
$sh = shm_attach(ftok('f', 'a'), 10000); shm_put_var($sh, 1, ['k'=>'v']); print_r(shm_get_var($sh, 1)); shm_remove($sh); $q = msg_get_queue(77); msg_send($q, 1, 'msg'); msg_receive($q, 0, $t, 100, $m); echo $m, "\n"; msg_remove_queue($q);
echo gzuncompress(gzcompress('zip')), mb_strtoupper('äöü'), "\n"; usleep(1000); echo date('Y', 0), php_uname('s'), "\n"; $r=[$a];$w=null;$e=null;
R
php a.php; echo $?
