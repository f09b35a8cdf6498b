exec 2>/dev/null # whether the shell says "Terminated" depends on when it looks
seq 1 3 >f; : >out
tail -f f >out & p=$!
while [ "$(wc -l <out)" -lt 3 ]; do sleep 0.05; done
echo 4 >>f
while [ "$(wc -l <out)" -lt 4 ]; do sleep 0.05; done
kill $p; wait $p; echo $?
cat out
