mkdir t; touch t/a.c t/b.c t/c.h; tar -cf x.tar t/a.c t/c.h; tar -tf x.tar; tar -cvf y.tar t 2>&1 | sort; mkdir o; tar -xf y.tar -C o t/b.c; find o | sort; tar -xf y.tar --strip-components 1 -C o; ls o
tar -tf missing.tar; echo $?; echo garbage >g; tar -tf g; echo $?
