mkdir t; i=0; while [ $i -lt 500 ]; do echo $i >t/file$i; i=$((i + 1)); done; tar -cf x.tar t; rm -r t; tar -xf x.tar; cat t/* | sort -n | md5sum; ls t | wc -l
