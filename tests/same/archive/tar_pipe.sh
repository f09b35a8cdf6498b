mkdir t; seq 1 30000 >t/big; for i in 1 2 3 4 5 6 7 8; do seq $i 100 >t/$i; done
mkdir o; tar -cf - t | tar -xf - -C o; diff -r t o/t && echo same; tar -czf - t | (cd o && rm -r t && tar -xzf -); diff -r t o/t && echo same
