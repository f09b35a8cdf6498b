i=0
while [ $i -lt 20 ]; do
    (seq $i 2000 | sort -n | tail -n 1 >out.$i) &
    i=$((i + 1))
done
wait
sort out.* | uniq -c | sed 's/^ *//'
