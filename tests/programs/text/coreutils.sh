# shell: bash
# Coreutils on files and streams.
seq 1 1000 >n; sort -rn n | head -3; sort -R n | sort -n | cmp - n && echo same; shuf -i 1-100 | sort -n | md5sum
wc n; sum n; cksum n; sha256sum n; sha512sum n | cut -c1-40; b2sum n | cut -c1-20; base64 n | tail -2; basenc --base32 n | head -1
split -l 300 n part.; ls part.*; cat part.* | cmp - n; csplit -s n 10 20; ls xx*; tac n | head -2; nl n | tail -1; od -An -tx1 -N16 n
paste -d, n n | sed -n 5p; join n n | tail -1; comm -12 n n | wc -l; uniq -c <<END
a
a
b
END
tr -d '\n' <n | fold -w 50 | head -2; fmt -w 30 <<END
some words that are longer than a line of thirty characters would be
END
expand <<<"	x"; unexpand -a <<<"        x"; pr -h title -l 20 n | sed -n '3s/^.*title/title/p'; ptx <<<"one two" | head -2; tsort <<<"a b b c"; factor 1000000007 360
echo "a b c" | tee t1 t2 | wc -w; cmp t1 t2; numfmt --to=iec 1048576; printf '%s|%5d|%-5s|\n' x 42 y; expr 6 \* 7; seq -s, 1 5; test 3 -gt 2 && echo gt
mkdir -p d/e/f; touch -d '2020-01-02 03:04:05 UTC' d/file; stat -c '%n %s %a %F %Y %h' d/file; stat -c '%n %a %F' d; ln d/file d/hard; ln -s file d/soft; stat -c '%h' d/file; readlink d/soft; realpath d/soft; readlink -f d/e/../soft
cp -a d copy; ls -lR --time-style=+%s copy | sed 's/ [0-9]\{10\} / T /;/^total/d;s/ *[0-9]* T / T /'; mv copy moved; rmdir d/e/f; rm -r moved; ls -a d; du -s --apparent-size d/file; ls -i d/file d/hard | awk '{print $1}' | uniq | wc -l
install -m 640 n inst; stat -c %a inst; chmod g+w,o=r inst; stat -c %A inst; truncate -s 100000 sp; stat -c '%s' sp; dd if=n of=dd bs=100 count=3 skip=1 2>/dev/null; wc -c <dd; dd if=/dev/zero bs=1M count=20 2>/dev/null | wc -c
mktemp -d /tmp/case/XXXXXX >/dev/null && echo made; mkfifo p; stat -c %F p; (echo through >p &); cat p; timeout 0.2 sleep 5; echo $?; nice -n 5 nice; nohup echo out 2>/dev/null; env -u HOME A=1 printenv A; id -u; id -gn; whoami; groups; logname 2>&1; uname -s; arch; nproc >/dev/null; hostname >/dev/null 2>&1; date -u -d @86400 +%F; pathchk ok; basename /a/b.c .c; dirname /a/b; yes | head -3 | tail -1; sleep 0.01; sync; df / >/dev/null && echo df; who; tty; stty -a </dev/null 2>&1; chown 5:6 inst; stat -c '%u %g' inst; link n n2; unlink n2; stdbuf -oL echo buf; shred -u dd; ls dd 2>&1; rm -i sp </dev/null; dircolors -b | head -c 10; echo; vdir -d d | cut -c1-10; dir n; chroot / /bin/echo in root; cat /nowhere; echo $?
