{ echo a; echo b; } >f
for i in 1 2 3; do echo $i; done >>f
if true; then echo c; fi >>f
while read -r x; do echo "<$x>"; done <f
