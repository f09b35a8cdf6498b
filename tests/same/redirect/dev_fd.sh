# shell: bash
echo hello >f
cat /dev/fd/3 3<f
cat /dev/stdin <f
echo to-stderr >/dev/stderr
echo to-stdout >/dev/stdout | cat
{ echo piped >/dev/stdout; } | cat
