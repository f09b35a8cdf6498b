x=$(head -c 100000 /dev/zero | tr '\0' x)
echo ${#x}
echo "$x" | wc -c
sh -c 'echo ${#1}' sh "$x"
