seq 1 1000000 | head -n 2
seq 1 1000000 | sed -n '5{p;q}'
