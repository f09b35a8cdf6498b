# busybox has no split: sed and dd do it.
seq 1 1000 >f
sed -n '1,300p' f >xaa; sed -n '301,$p' f >xab; cat xaa xab | cmp - f && echo same
for i in 0 1 2 3; do dd if=f of=part$i bs=1000 skip=$i count=1 2>/dev/null; done
wc -c part0 part1 part2 part3; cat part? | cmp - f && echo same
