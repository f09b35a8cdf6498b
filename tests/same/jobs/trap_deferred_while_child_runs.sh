trap 'echo handler ran' USR1
sh -c "kill -USR1 $$; echo child goes on"
echo after
