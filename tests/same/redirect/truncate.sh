seq 1 1000 >f
truncate -s 10 f; od -c f
truncate -s 20 f; od -c f
truncate -s 0 f; wc -c <f
