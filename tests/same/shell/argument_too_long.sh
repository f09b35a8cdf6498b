x=$(head -c 200000 /dev/zero | tr '\0' y)
/bin/echo "$x" >/dev/null; echo "status $?"
