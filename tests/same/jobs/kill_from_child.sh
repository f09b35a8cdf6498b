sh -c '(kill -TERM $PPID) ; sleep 5' ; echo $?
sh -c 'sh -c "kill -TERM \$PPID"; sleep 5'; echo $?
