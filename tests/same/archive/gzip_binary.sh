head -c 500000 /dev/urandom >f; gzip -c f | gunzip | cmp - f && echo same; head -c 1000000 /dev/zero | gzip -c | wc -c
