# A million lines, sorted.
seq 1000000 | awk '{ print $1 * 7919 % 1000003 }' >lines
timed sort -o sorted lines
