echo hello | tr a-y b-z; echo hello | tr -d l; echo aabbcc | tr -s b
echo 'Hello World' | tr '[:upper:]' '[:lower:]'; printf 'a\tb\n' | tr '\t' ' '
echo abc | tr -c 'b\n' x; echo 12345 | tr 1-3 '[x*]'
