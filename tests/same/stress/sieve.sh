awk 'BEGIN {n = 30000; for (i = 2; i <= n; i++) if (!c[i]) {p++; for (j = i * i; j <= n; j += i) c[j] = 1}; print p}'
i=2; while [ $i -lt 60 ]; do j=2; p=1; while [ $((j * j)) -le $i ]; do [ $((i % j)) -eq 0 ] && p=0 && break; j=$((j + 1)); done; [ $p = 1 ] && printf '%d ' $i; i=$((i + 1)); done; echo
