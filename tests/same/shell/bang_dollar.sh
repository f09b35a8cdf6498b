exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
sleep 100 & p=$!
[ "$p" -gt 0 ] && echo started
kill $p; wait $p; echo $?
(echo "$$" >a); sh -c 'echo $PPID' >b
[ "$(cat a)" = "$$" ] && echo "same \$\$ in subshell"
[ "$(cat b)" = "$$" ] && echo "PPID is the parent"
