printf 'apple\nbanana\ncherry\nApple pie\n' >f
grep apple f; grep -i apple f; grep -v a f; grep -c an f; grep -n e f
grep -l apple f; grep -q zzz f; echo $?
grep -E '^(a|c)' f; grep -o 'an' f; grep -w Apple f; grep -x banana f
grep -F 'a.p' f; echo $?
grep x missing; echo $?
grep -A 1 -B 1 cherry f
