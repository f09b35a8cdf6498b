seq 1 5000 | tee a b c | wc -l
md5sum a b c
