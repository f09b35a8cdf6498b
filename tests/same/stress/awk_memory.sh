awk 'BEGIN {for (i = 0; i < 30000; i++) a[i] = "value number " i; n = 0; for (i in a) n += length(a[i]); print n; delete a; print length(a)}'
