sh -c 'true & exec sleep 0.1'
echo $?
