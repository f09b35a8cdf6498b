# shell: dash
# lsof, fuser and /proc: what other processes have open, deleted files and pipes among it.
asleep() { until [ "$(cut -d ' ' -f 2,3 /proc/$1/stat 2>/dev/null)" = "(sleep) S" ]; do :; done; }
seq 1 5 >f; mkdir d; seq 1 3 >gone
sleep 100 5<f 6>>g 7<gone 8<d & p=$!
asleep $p
rm gone
lsof -a -p $p -d 5-8 -F ftan | sed "s,$PWD,HERE,; s,$p,PID," | grep -v '^a $'
lsof -t f | grep -cx $p; fuser f 2>/dev/null | tr -d ' ' | grep -cx $p; fuser -v g 2>&1 | awk 'NR == 2 { print $3, $4, $5 }' | sed "s/$p/PID/"
for n in 5 6 7 8; do readlink /proc/$p/fd/$n | sed "s,$PWD,HERE,"; ls -l /proc/$p/fd/$n | cut -c 1-10; done
cat /proc/$p/fd/5 /proc/$p/fd/7; echo more >/proc/$p/fd/6; cat g; ls -a /proc/$p/fd/8/; stat -Lc '%F %h %s' /proc/$p/fd/7
cat /proc/$p/fdinfo/5 | head -2; cat /proc/$p/fd/99 2>/dev/null; echo $?
mkfifo q; (exec 3<>q 4>f2; exec sleep 100) & s=$!; asleep $s; fuser q f2 2>/dev/null | wc -w; kill $p $s; pwdx $$ | sed "s,$PWD,HERE,; s/^$$/PID/"
sleep 200 & s=$!; asleep $s; kill -STOP $s; lsof -a -p $s -d cwd -Fn | tail -1 | sed "s,$PWD,HERE,"; kill -KILL $s; wait 2>/dev/null
flock f sh -c 'lslocks -no TYPE,MODE,SIZE | grep -c FLOCK'; prlimit -n -o RESOURCE,SOFT --noheadings -p $$ | awk '{ print $1 }'; findmnt -no FSTYPE,TARGET /proc; getconf PAGE_SIZE
