sleep 100 & p=$!
kill -STOP $p; kill -TERM $p; kill -CONT $p
wait $p; echo $?
sleep 100 & p=$!
kill -STOP $p; kill -KILL $p
wait $p; echo $?
