i=0; seq 1 60000 | awk '{x = ($1 * 7919) % 60013; print x, $1}' >f
sort -n f | md5sum; sort -k 2 f | md5sum; sort -r f | head -n 2
sort -n f | awk '$1 < p {bad = 1} {p = $1} END {print bad + 0}'
