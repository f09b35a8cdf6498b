i=0; while [ $i -lt 1500 ]; do echo "line $i" >>f; i=$((i + 1)); done; wc f; md5sum f
