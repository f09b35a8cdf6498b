seq 1 200 | grep -v 7 | sort -rn | head -n 20 | tail -n 5 | sed 's/^/n=/' | tr '\n' ' ' | cat | wc -w
echo "status $?"
