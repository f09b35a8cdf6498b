dd if=/dev/zero of=f bs=1 count=1 seek=1000000 2>/dev/null
wc -c <f
md5sum <f
printf X | dd of=f bs=1 seek=500000 conv=notrunc 2>/dev/null
wc -c <f
od -A d -c f | head -n 5
