mkfifo f
(exec 3>f; echo one >&3; echo two >&3) &
(exec 3>f; echo three >&3) &
sort <f >out 3<>f &
p=$!
wait %1 %2
# the reader holds the fifo open for writing itself, so end it
kill $p
wait $p 2>/dev/null
echo "reader ended with $?"
