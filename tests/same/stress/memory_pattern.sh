# Writes and reads a heap and a copy of it in a child.
awk 'BEGIN {s = "x"; for (i = 0; i < 20; i++) s = s s; print length(s)}'; x=$(seq 1 50000); (y=$x; echo ${#y}); echo ${#x}
