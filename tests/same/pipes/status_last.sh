false | true; echo $?
true | false; echo $?
sh -c 'exit 3' | sh -c 'exit 4'; echo $?
! true | false; echo $?
