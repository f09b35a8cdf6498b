n=0
seq 1 10 | while read -r i; do n=$((n + i)); echo "$n"; done
echo "after: $n"
