exec 5>&1 >log 2>&1
echo a
echo b >&2
ls /nonexistent
exec >&5
cat log
