kill 999999; echo $?
kill -0 $$; echo $?
kill -NOSUCH $$; echo $?
kill; echo $?
sleep 50 & p=$!
kill -0 $p; echo $?
kill $p; wait $p 2>/dev/null
kill -0 $p 2>/dev/null; echo $?
