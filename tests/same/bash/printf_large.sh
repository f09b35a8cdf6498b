# shell: bash
printf '%s\n' {1..20000} | md5sum; x=$(printf 'x%.0s' {1..50000}); echo ${#x}; a=({1..30000}); echo ${#a[@]} ${a[29999]}
