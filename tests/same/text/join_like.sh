# busybox has no join: awk does it.
printf '1 a\n2 b\n3 c\n' >l; printf '1 x\n3 y\n4 z\n' >r
awk 'NR == FNR {m[$1] = $2; next} $1 in m {print $1, m[$1], $2}' l r
