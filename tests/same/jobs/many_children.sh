# shell: bash
for ((i = 0; i < 60; i++)); do (exit $((i % 10))) & pids[i]=$!; done
s=0
for p in "${pids[@]}"; do wait $p; s=$((s + $?)); done
echo $s
