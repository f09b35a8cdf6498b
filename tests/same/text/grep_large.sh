seq 1 100000 | grep -c 99
seq 1 100000 | grep -E '^(1|2)+$' | tail -n 3
seq 1 100000 | grep -v '[0-8]'
