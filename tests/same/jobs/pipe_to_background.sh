{ echo a; echo b; } | cat >out &
wait $!
cat out
