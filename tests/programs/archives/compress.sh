# shell: bash
# long
# Each compressor there and back, levels, streams, test, damage.
seq 1 60000 >d; head -c 100000 /dev/zero >>d
for c in gzip bzip2 xz zstd; do $c -k d 2>/dev/null; f=$(ls d.*); $c -t $f 2>&1 | grep -v OK; $c -dc $f | cmp - d && echo $c same; $c -9 <d 2>/dev/null | wc -c; cat $f $f | $c -dc | wc -c; head -c 5000 $f >cut; $c -dc <cut >/dev/null 2>err; echo "status $?"; rm -f $f; done
gzip -l <(gzip -c d) 2>/dev/null | wc -l; xz -T2 -k d; xz -l d.xz | wc -l; unxz -c d.xz | md5sum; lzma -k d; lzcat d.lzma | md5sum; xzcat d.xz | wc -c; zstd -q -T2 --ultra -20 d -o u.zst; zstd -dq u.zst -o u; cmp u d; zcat nowhere; echo $?; gzip -c d | zgrep -c 999; bzcat <(bzip2 -c d) | wc -l; xz --version | head -1; gunzip <d; echo $?; echo 1 | gzip -n | md5sum; zstdcat u.zst | tail -c 1 | od -An -tx1
