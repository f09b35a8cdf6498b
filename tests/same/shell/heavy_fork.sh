i=0
while [ $i -lt 100 ]; do (exit $((i % 7))); s=$((${s:-0} + $?)); i=$((i + 1)); done
echo $s
