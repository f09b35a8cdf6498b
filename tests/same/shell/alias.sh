alias hi='echo aliased'
hi there
unalias hi
hi 2>/dev/null; echo $?
