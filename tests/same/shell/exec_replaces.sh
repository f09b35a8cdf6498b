(exec sh -c 'echo replaced; exit 4'; echo unreached); echo $?
(exec nosuchcommand; echo unreached); echo $?
x=5 sh -c 'echo $x'; echo "[$x]"
