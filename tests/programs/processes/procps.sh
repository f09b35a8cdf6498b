# shell: dash
# procps: what it shows of processes that are known, and whom it ends.
asleep() { until [ "$(cut -d ' ' -f 2,3 /proc/$1/stat 2>/dev/null)" = "(sleep) S" ]; do :; done; }
sleep 100 &
first=$!
sleep 200 &
second=$!
asleep $first
asleep $second
ps -o comm=,args=,stat= -p $first
ps -o ppid= -p $first | grep -cx " *$$"
ps -e -o args= | grep '^sleep' | sort
ps -C sleep -o args= --sort=args
ps aux | awk 'NR == 1 || $11 == "sleep" { print $1, $11, $12 }'
pgrep -x sleep | wc -l
pgrep -f 'sleep 1' -a | cut -d ' ' -f 2-
pidwait --help >/dev/null; echo pidwait $?
top -b -n 1 -p $second | tail -1 | awk '{ print $2, $NF }'
pmap $first | sed -n '1s/^[0-9]*: *//p'
kill -STOP $first
ps -o stat= -p $first | cut -c 1
kill -CONT $first
ps -o stat= -p $first | cut -c 1
kill $first
wait $first 2>/dev/null # whether the shell tells that it was terminated depends on when it hears of it
echo "ended $?"
pkill -f 'sleep 2'
wait $second 2>/dev/null
echo "ended $?"
pgrep sleep
echo "none $?"
ps -p 999999 -o pid=
echo "nobody $?"
free | awk '{ print $1, NF }'
free -m --total | awk 'END { print $1, ($2 > 0) }'
uptime | grep -c 'load average: [0-9.]*, [0-9.]*, [0-9.]*$'
uptime -s | grep -cx '[0-9-]* [0-9:]*'
vmstat | awk 'END { print NR, (NF >= 17) }'
sysctl kernel.ostype
kill -l TERM
/bin/kill -l 9
