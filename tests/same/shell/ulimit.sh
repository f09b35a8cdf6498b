ulimit -n 64; ulimit -n
(ulimit -n 20; sh -c 'ulimit -n')
ulimit -c 0; ulimit -c
ulimit -f 8; (dd if=/dev/zero of=big bs=1024 count=100 2>/dev/null; echo $?) 2>/dev/null; wc -c <big
