head -c 4096 /dev/zero >a; mkdir d; head -c 8192 /dev/zero >d/b; du -k a d/b; df . >/dev/null; echo $?; df -P . | wc -l
