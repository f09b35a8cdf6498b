setsid sh -c 'echo "in a session"; exit 4'; echo $?
a=$(cut -d ' ' -f 6 /proc/self/stat); b=$(setsid -w cut -d ' ' -f 6 /proc/self/stat 2>/dev/null || setsid cut -d ' ' -f 6 /proc/self/stat)
[ "$a" != "$b" ] && echo "another session"
