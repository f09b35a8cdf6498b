seq 1 1000 >f; dd if=f of=g bs=100 skip=2 count=3 2>/dev/null; wc -c <g; dd if=f bs=1 count=5 2>/dev/null; dd if=f of=g bs=10 seek=5 conv=notrunc count=1 2>err; wc -c <g; cat err | head -n 2
dd if=f conv=swab bs=10 count=1 2>/dev/null | od -c; dd if=missing; echo $?; dd if=/dev/zero bs=1k count=3 2>/dev/null | wc -c
