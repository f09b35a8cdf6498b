seq 1 50000 | sed 's/\([0-9]\)\([0-9]\)/\2\1/g' | md5sum
seq 1 50000 | sed -n '/7$/p' | wc -l
seq 1 50000 | sed 'N;N;s/\n/,/g' | md5sum
