# stdin: first line
# stdin: second line
# stdin: third
read -r a
echo "script read: $a"
head -n 1
read -r b || echo "then nothing: $?"
