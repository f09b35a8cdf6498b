# shell: bash
# tmux: a server that clients give their terminal's descriptors in messages; sessions, windows and panes, keys, what panes show, who attaches and detaches.
export TERM=vt100 TMUX_TMPDIR=$PWD
t() { tmux -f /dev/null -L exo "$@"; }
shown() { for i in $(seq 100); do [ "$(t capture-pane -p -t one | grep -c "$1")" = "$2" ] && return; sleep 0.1; done; echo "never shown: $1"; }
t new-session -d -s one -x 80 -y 24 'exec cat'; t send-keys -t one 'hello there' Enter; shown hello 2; t capture-pane -p -t one | head -3
t split-window -t one -h 'exec cat'; t list-panes -t one -F '#{pane_index} #{pane_width}x#{pane_height} #{pane_active}'
named() { for i in $(seq 100); do [ "$(t display-message -p -t "$1" '#{window_name}')" = "$2" ] && return; t send-keys -t "$1" Enter; sleep 0.1; done; echo "never named: $2"; } # tmux looks when something happens, for the leader of the group (sh -c cat stays sh)
t new-window -t one -n second 'sleep 1000'; named one:0 cat; t list-windows -t one -F '#{window_index} #{window_name} #{window_panes}'
t rename-session -t one two; t list-sessions -F '#{session_name} #{session_windows} #{session_attached}'
keys() { for k in "$@"; do sleep 1; printf "$k"; done; sleep 1; }
keys '\002n' '\002d' | script -qec 'stty rows 24 cols 80; tmux -f /dev/null -L exo attach -t two' log >/dev/null; tr -d '\r' <log | grep -ao 'detached (from session two)'
t display-message -p -t two '#{window_index}'; t run-shell 'echo from run-shell'; t set-buffer kept; t show-buffer; echo; t kill-session -t nobody 2>&1
server=$(t display-message -p '#{pid}')
t kill-server; for i in $(seq 100); do grep -qs 'State:.[^Z]' /proc/$server/status || break; sleep 0.1; done # who asks while it ends is told something else
t list-sessions 2>&1 | sed 's/(.*//'
