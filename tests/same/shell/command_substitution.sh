x=$(printf 'a\nb\n\n\n'); echo "[$x]"
echo "$(echo out; echo err >&2)" 2>/dev/null
y=$(exit 9); echo $?
echo "$(seq 1 20000 | wc -c)"
z=$(seq 1 20000); echo ${#z}
