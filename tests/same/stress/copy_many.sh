mkdir a; i=0; while [ $i -lt 300 ]; do echo "content $i" >a/$i; i=$((i + 1)); done; cp -r a b; cp -r b c; mv c d; rm -r b; diff -r a d && echo same; find a d -type f | wc -l; cat d/* | wc -c
