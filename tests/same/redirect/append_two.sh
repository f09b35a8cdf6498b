# O_APPEND: two descriptors, no lost line.
exec 3>>f 4>>f
for i in 1 2 3 4 5; do echo "a$i" >&3; echo "b$i" >&4; done
wc -l <f
sort f | tr '\n' ' '
echo
