seq 1 50000 | gzip -c | bzip2 -c | bunzip2 | gunzip | md5sum; seq 1 50000 | md5sum; seq 1 20000 | base64 | gzip -c | gunzip | base64 -d | tail -n 1
