x=1; cd /; (x=2; cd /tmp; echo "$x $PWD"); echo "$x $PWD"
f() { x=3; }; (f); echo $x; f; echo $x
