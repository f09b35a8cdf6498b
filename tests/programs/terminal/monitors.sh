# shell: bash
# long
# htop and top with a person's keys: they show a process, sort, search, kill it and end.
export TERM=vt100 TMUX_TMPDIR=$PWD HTOPRC=$PWD/none
t() { tmux -f /dev/null -L exo "$@"; }
shown() { for i in $(seq 200); do [ "$(t capture-pane -p -t one | grep -c "$1")" = "$2" ] && return; sleep 0.1; done; echo "never shown: $1"; }
exec 2>/dev/null # when the shell hears of ends is its business
sleep 1234 & first=$!
sleep 2345 & second=$!
sleep 3456 & third=$!
t new-session -d -s one -x 110 -y 30 "htop -C -p $first,$second; echo htop ended with \$?; top -p $first,$third; echo top ended with \$?; cat"
shown 'sleep 1234' 1; shown 'sleep 2345' 1; t capture-pane -p -t one | grep -o 'Tasks: 2\|PID.*USER.*PRI.*NI.*VIRT.*RES.*SHR.*CPU%.*MEM%.*TIME+.*Command'
t send-keys -t one M; t send-keys -t one P; t send-keys -t one t; shown 'sleep 1234' 1
t send-keys -t one /; shown 'Search:' 1; t send-keys -t one 'sleep 2345' Enter
t send-keys -t one k; shown 'Send signal:' 1; t send-keys -t one Enter; wait $second 2>/dev/null; echo "second: $?"
shown 'sleep 2345' 0; shown 'sleep 1234' 1; t send-keys -t one q
shown 'htop ended with 0' 1; shown '^ *'$first' .* sleep' 1; shown "^ *$third .* sleep" 1; t capture-pane -p -t one | grep -o 'Tasks: *2 total' ; t send-keys -t one c; shown 'sleep 3456' 1
t send-keys -t one k; shown 'PID to signal/kill' 1; t send-keys -t one $third Enter; shown "Send pid $third signal" 1; t send-keys -t one 9 Enter; wait $third 2>/dev/null; echo "third: $?"
t send-keys -t one q; shown 'top ended with 0' 2; kill -0 $first && echo "first is there"; kill $first; t kill-server
