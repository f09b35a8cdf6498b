t=$(mktemp); echo $?; stat -c '%a %s' $t; echo $t | sed 's/[^/.]*$/X/'; rm $t; d=$(mktemp -d); stat -c '%a %F' $d; rmdir $d
mktemp ./abcXXXXXX | sed 's/abc....../abcX/'; mktemp bad; echo $?
