(exit 3) & a=$!
(exit 4) & b=$!
wait $a; echo $?
wait $b; echo $?
wait; echo $?
