# shell: bash
# wait $! waits for the substitution.
seq 1 10 > >(awk '{s += $1} END {print s}' >sum)
wait $!
cat sum
