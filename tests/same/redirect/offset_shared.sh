# One open file description: parent and child share the offset.
exec 3>f
echo parent1 >&3
(echo child >&3)
sh -c 'echo grandchild >&3'
echo parent2 >&3
cat f
