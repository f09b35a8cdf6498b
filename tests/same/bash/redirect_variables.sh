# shell: bash
exec {a}>f {b}>g; echo x >&$a; echo y >&$b; echo "$((a >= 10)) $((b > a))"; exec {a}>&- {b}>&-; cat f g; while read -r -u 7 l; do echo "l=$l"; done 7<<<$'one\ntwo'
