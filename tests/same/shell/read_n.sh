# shell: bash
printf 'abcdef\n' | { read -r -n 3 x; read -r y; echo "$x $y"; }
printf 'a;b;c' | { while read -r -d ';' x; do echo "<$x>"; done; echo "rest $x"; }
read -r -t 0.05 x < <(sleep 1 & echo $! >pid; wait); echo $?
kill $(cat pid)
