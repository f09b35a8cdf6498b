trap 'echo parent handler' TERM
sh -c 'kill -TERM $$; echo not reached'; echo $?
(sh -c 'kill -TERM $PPID'; echo "after in subshell"); echo $?
