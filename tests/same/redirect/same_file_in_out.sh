seq 1 5 >f
cat f >>g; cat g >>f
cat f | wc -l
sort -r f -o f
head -n 3 f
