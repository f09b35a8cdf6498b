# tar with each compressor, listing, extraction, links, modes, times, sparse files, append, exclude.
# needs: root
mkdir -p t/sub; seq 1 3000 >t/n; ln t/n t/hard; ln -s n t/soft; touch -d @1000000000 t/old; chmod 640 t/old; truncate -s 300000 t/sparse; printf x | dd of=t/sparse bs=1 seek=200000 conv=notrunc 2>/dev/null; mkfifo t/fifo
tar --sort=name --mtime=@0 --owner=0 --group=0 -cf a.tar t; sha256sum a.tar; tar -tvf a.tar --utc | sed 's/  */ /g'
for c in gzip bzip2 xz zstd; do tar --$c -cf a.$c t && tar -xf a.$c --transform "s/^t/$c/" && diff -r --no-dereference t $c 2>&1 | grep -v fifo; file -b a.$c | cut -d, -f1 | cut -c1-25; done
stat -c '%a %Y %h' gzip/old gzip/n; tar -Scf s.tar t/sparse; [ $(stat -c %s s.tar) -lt 100000 ] && echo sparse; tar -rf a.tar s.tar; tar -tf a.tar | tail -1; tar --delete -f a.tar s.tar; tar -tf a.tar | wc -l; tar -cf - t | tar -xf - -C /tmp/case/t/sub && ls t/sub/t; tar --exclude='*/n' -cf x.tar t; tar -tf x.tar | grep -c n$; tar -xOf a.tar t/n | md5sum; tar -xf nowhere.tar; echo $?; tar -df a.tar 2>&1 | sort | head -3
