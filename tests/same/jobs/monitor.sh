# shell: bash
set -m
sleep 100 & p=$!
jobs | sed 's/  */ /g'
kill -STOP $p
sleep 0.1
jobs | sed 's/  */ /g'
bg %1
jobs | sed 's/  */ /g'
exec 2>/dev/null
kill %1
wait $p; echo $?
