exec 3>&1 >file
echo into file
exec >&3 3>&-
echo back
cat file
