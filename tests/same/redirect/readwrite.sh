printf 'abcdef\n' >f
exec 3<>f
read -r x <&3
echo "$x"
echo more >&3
exec 3>&-
cat f
