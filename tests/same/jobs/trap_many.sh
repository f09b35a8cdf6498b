trap 'echo usr1' USR1
trap 'echo usr2' USR2
kill -USR1 $$; kill -USR2 $$; kill -USR1 $$
trap - USR1
(trap 'echo in sub' USR1; sh -c 'kill -USR1 $PPID'; :)
trap
