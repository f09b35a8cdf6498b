mkdir -p t/sub; seq 1 100 >t/a; seq 1 50 >t/sub/b; ln -s a t/l; ln t/a t/h; touch -d @1000000 t/a t/sub/b; chmod 750 t/sub
tar -cf x.tar t; tar -tf x.tar | sort; mkdir o; tar -xf x.tar -C o; diff -r t o/t && echo same; stat -c '%a %Y %h' o/t/a; readlink o/t/l; stat -c %a o/t/sub
tar -xOf x.tar t/sub/b | wc -l; tar -tvf x.tar t/sub/b | awk '{print $1, $2, $3, $4, $5}'
