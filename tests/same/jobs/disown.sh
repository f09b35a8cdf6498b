# shell: bash
set -m
sleep 100 & p=$!
disown %1
jobs
kill $p; wait $p 2>/dev/null; echo $?
