seq 1 200000 >f; md5sum <f; gzip f; ls; gunzip -c f.gz | md5sum; zcat f.gz | tail -n 1; gzip -d f.gz; ls; gzip -9 -c f | gunzip | cmp - f && echo same; gzip -1 <f | zcat | cmp - f && echo same
gzip -t f; echo $?; echo broken | gunzip; echo $?
