seq 1 60000 | awk '{c[$1 % 97]++; s += $1 * 1.5} END {n = 0; for (k in c) n += c[k]; print n, s}'
seq 1 20000 | awk '{print $1, $1 * $1, "line " $1}' | md5sum
