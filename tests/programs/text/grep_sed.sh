# shell: bash
# grep in its kinds, sed scripts.
seq 1 2000 | awk '{print $1, "line", $1 % 7 ? "odd" : "seven"}' >t
grep -c seven t; grep -n '^7 ' t; grep -E '(1|2){3}' t | head -3; grep -F '1.' t; echo $?; grep -P '\d(?=00 )' t | head -2; grep -o '[0-9]*5 ' t | tail -1; grep -v line t | wc -l; grep -rl seven . ; grep -A1 -B1 '^1000 ' t; grep -i LINE t | wc -l; grep -w 12 t; grep -q zzz t; echo $?; printf 'a\0b\n' | grep -c b; zgrep -c x /dev/null 2>/dev/null; echo 'grüße' | LC_ALL=C.UTF-8 grep -o 'ü.'
sed -n '3p;$p' t; sed 's/line/LINE/2;y/abc/xyz/' t | head -2; sed -E 's/([0-9]+) (line)/\2 \1/' t | tail -1; sed '1!G;h;$!d' t | head -1; sed -i.bak 's/seven/SEVEN/' t; grep -c SEVEN t; ls t.bak; sed -n '/^10 /,/^12 /p' t; sed '5q' t | wc -l; sed -e '/odd/d' t | wc -l; sed --debug -n p /dev/null | head -1; sed 's/x/\n/;ta;s/^/no /;:a' <<<axb; sed -s -n '$=' t t.bak; sed -z 's/\n/,/g' t | head -c 20; echo; sed 'w out' t >/dev/null; cmp out t; sed bad t; echo $?
