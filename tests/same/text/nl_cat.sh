printf 'a\n\nb\n' >f; nl f; nl -b a f; cat -n f; cat -A f; cat -e f; tac f; rev f
printf 'x\ty\001\n' | cat -v; printf 'x\ty\n' | cat -t
