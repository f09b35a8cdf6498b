echo 'the quick brown fox jumps' | fold -w 10; echo 'the quick brown fox jumps' | fold -s -w 10
printf 'a\tb\n' | expand -t 4; printf '        x\n' | unexpand
printf 'a\r\nb\r\n' | dos2unix | od -c; printf 'a\n' | unix2dos | od -c
