printf 'a 1\nb 2\nc 3\n' >f
awk '{s += $2} END {print s, NR}' f
awk -F: '{print $1}' /etc/passwd | head -n 2
awk 'BEGIN {for (i = 0; i < 5; i++) x[i] = i * i; for (i = 0; i < 5; i++) printf "%d ", x[i]; print ""}'
awk '{print $NF, length($0), toupper($1), substr($0, 2, 2), index($0, "b")}' f
awk -v v=5 'BEGIN {print v * 2, v "x", v ^ 2, v % 3, int(7 / 2)}'
echo 'a,b,c' | awk '{n = split($0, p, ","); print n, p[3]}'
awk '/b/,/c/' f; awk 'NR == 2 {next} {print}' f
awk 'BEGIN {printf "%5.2f|%-5s|%05d|%x|%c\n", 3.14159, "ab", 42, 255, 65}'
awk 'BEGIN {s = "hello"; gsub(/l/, "L", s); print s; print match("foobar", /o+/), RSTART, RLENGTH}'
