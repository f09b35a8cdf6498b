# shell: dash
# psmisc: killall by name, a process's tree.
asleep() { until [ "$(cut -d ' ' -f 2,3 /proc/$1/stat 2>/dev/null)" = "(sleep) S" ]; do :; done; }
sleep 100 &
first=$!
sleep 200 &
second=$!
asleep $first
asleep $second
pstree -A $$ | sed 's/pstree.*/pstree/' | head -1 | tr -dc 'a-z*0-9\n' | grep -c sleep
killall -0 sleep
echo "there $?"
killall -s STOP sleep
ps -o stat= -p $first,$second | cut -c 1
killall -s CONT sleep
killall -v sleep 2>&1 | sed 's/([0-9]*)//; s/pid [0-9]*//' | sort
wait $first 2>/dev/null # whether the shell tells that it was terminated depends on when it hears of it
echo "ended $?"
wait $second 2>/dev/null
echo "ended $?"
killall sleep
echo "none $?"
killall -q nobody-has-this-name
echo "quiet $?"
prtstat $$ | sed -n 's/^Process: \([a-z]*\).*/\1/p'
