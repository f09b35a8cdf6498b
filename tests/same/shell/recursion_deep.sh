f() { [ $1 -eq 0 ] && { echo bottom; return 7; }; f $(($1 - 1)); }
f 400; echo $?
