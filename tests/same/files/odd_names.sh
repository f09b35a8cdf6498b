touch -- 'a b' 'new
line' '*' '$x' '-n' 'tab	x' ' ' "quote'" 'back\slash'
for f in *; do printf '<%s>' "$f"; done; echo
find . -type f -print0 | sort -z | tr '\0' '|'; echo; ls | wc -l; ls -b 2>/dev/null | sort | head -n 3; rm -- *; ls
