exec 3>three 4>four
echo to3 >&3
echo to4 >&4
echo swap 3>&4 4>&3 >&3
exec 3>&- 4>&-
echo closed >&3
echo "status $?"
cat three four
