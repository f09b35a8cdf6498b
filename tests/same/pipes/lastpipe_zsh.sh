# shell: zsh
seq 1 10 | while read -r i; do n=$((n + i)); done
echo "after: $n"
