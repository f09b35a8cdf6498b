f() { [ $1 -eq 0 ] && { echo leaf; return; }; (f $(($1 - 1))) & (f $(($1 - 1))) & wait; }; f 5 | wc -l
