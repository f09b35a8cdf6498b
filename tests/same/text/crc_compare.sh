seq 1 1000 >f; gzip -c f | tail -c 8 | od -An -tx1; wc -c <f
