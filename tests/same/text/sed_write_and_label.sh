seq 1 10 | sed -n '/[02468]$/w even
/[13579]$/w odd'
cat even odd | tr '\n' ' '; echo
echo aaaa | sed -e :a -e 's/aa/b/;ta'
printf 'a\\\nb\nc\n' | sed -e :a -e '/\\$/{N;s/\\\n//;ba' -e '}'
