# Work is split over children, results come back through files.
for i in 0 1 2 3; do
    (s=0; n=$((i * 250)); e=$((n + 250)); while [ $n -lt $e ]; do s=$((s + n)); n=$((n + 1)); done; echo $s >part$i) &
done
wait
cat part0 part1 part2 part3 | awk '{s += $1} END {print s}'
