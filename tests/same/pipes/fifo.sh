mkfifo f
cat f >out &
seq 1 1000 >f
wait
md5sum <out
ls -l f | cut -c 1-10
