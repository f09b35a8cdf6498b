seq 1 5 >f
printf '2d\n$a\nnew\n.\n1,2p\n/new/s/n/N/\nw\nq\n' | ed f
cat f
