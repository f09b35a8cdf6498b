mkdir -p a/x/y; for i in 1 2 3 4 5 6 7 8 9; do seq $i 500 >a/x/f$i; cp a/x/f$i a/x/y/g$i; done
cp -a a b; diff -r a b && echo same; echo changed >b/x/y/g5; diff -rq a b; (cd a && find . -type f | sort | xargs md5sum) | md5sum
