# shell: bash
(exit 5) & a=$!
wait -n -p who; s=$?
[ "$who" = "$a" ] && echo "right one, $s"
