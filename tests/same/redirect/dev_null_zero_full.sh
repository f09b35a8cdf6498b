echo x >/dev/null; echo $?
head -c 5 /dev/zero | od -An -tx1
dd if=/dev/zero of=/dev/full bs=1 count=1 2>err; echo "status $?"
grep -o 'No space left on device' err
wc -c </dev/null
head -c 16 /dev/urandom | wc -c
