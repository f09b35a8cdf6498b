# 3 MB through a pipe with readers and writers of different sizes.
head -c 3000000 /dev/zero | dd bs=777 2>/dev/null | dd bs=100000 iflag=fullblock 2>/dev/null | wc -c
seq 1 200000 | md5sum
