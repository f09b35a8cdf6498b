for i in 1 2 3 4 5 6; do
    [ $i -eq 2 ] && continue
    [ $i -eq 5 ] && break
    echo $i
done
i=0; until [ $i -ge 3 ]; do i=$((i + 1)); echo u$i; done
for a in x y; do for b in 1 2 3; do [ $b -eq 2 ] && continue 2; echo $a$b; done; done
while :; do while :; do break 2; done; done; echo out
