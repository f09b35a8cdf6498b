times | wc -l
times | sed 's/[0-9][0-9]*/N/g' | head -n 1
