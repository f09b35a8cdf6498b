# shell: bash
# diff, diff3, cmp, patch, bc, dc, file.
seq 1 50 >a; sed 's/^25$/twenty/;40d;$a end' a >b; diff a b; diff -u --label a --label b a b >p; cat p; diff -y -W 30 a b | grep '[|<>]'; cp a c; patch c p; cmp c b && echo patched; patch -R c p; cmp c a && echo back; echo x >c; patch -f c p; echo $?; ls *.rej; sed 's/^10$/ten/' a >o; diff3 -m o a b | head -12; sdiff -s a b; mkdir d1 d2; cp a d1/x; cp b d2/x; touch d2/y; diff -rq d1 d2; cmp a b; diff -c --label a --label b a b | head -8
echo 'scale=50; 4*a(1); 2^200; sqrt(2); define f(n){if(n<2)return 1;return n*f(n-1)}; f(30)' | bc -l; dc -e '5 k 22 7 / p 2 64 ^ p 16 o 255 p'; echo 'obase=16; 255; ibase=2; 1010' | bc; echo '1/0' | bc; echo 'for(i=0;i<3;i++) i' | bc -q
printf '\177ELF' >e; echo '#!/bin/sh' >s; printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\2\0\0\0' >g; gzip -nc a >z 2>/dev/null; file a s g /bin/busybox | sed 's/BuildID[^,]*, //'; file -i a; file --mime-type g
