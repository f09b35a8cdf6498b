# shell: dash
# long
# strace: the calls, signals and ends of a shell and its children, and how many there were; attaching to one that sleeps.
log=$(mktemp)
plain() { sed 's/[0-9][0-9]*/N/g; s/^\[pid *N\] //; s/ *= /=/' "$1"; }
strace -f -e trace=kill,exit_group -o "$log" dash -c '(exit 3); kill -USR1 $$'
echo "status $?"
plain "$log" | sort
strace -e trace=exit_group -e signal=none -o "$log" false
echo "status $?"
plain "$log"
strace -c -e trace=exit_group,rmdir -o "$log" rmdir /nowhere
awk '/rmdir|exit_group/ { print $NF, $4 }' "$log" | sort
sleep 100 &
sleeper=$!
strace -p $sleeper -e trace=exit_group -o "$log" 2>/dev/null &
tracer=$!
while ! grep -q "TracerPid:.*[1-9]" /proc/$sleeper/status 2>/dev/null; do sleep 0.05; done
kill -TERM $sleeper
wait $tracer
plain "$log"
strace true --no-such 2>/dev/null >/dev/null
strace -e trace=nothing-of-the-kind true 2>&1 | sed 's/.*: //'
strace -p 999999 2>&1 | sed 's/.*: //'
