# shell: bash
(exit 5) & a=$!
for _ in {1..50}; do wait -n -p who; s=$?; [ $s = 127 ] || break; done
[ "$who" = "$a" ] && echo "right one, $s"
