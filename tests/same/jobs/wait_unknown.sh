wait 99999; echo $?
true & p=$!
wait $p; echo $?
