expr 1 + 2; expr 7 \* 6; expr 10 / 3; expr 10 % 3
expr length hello; expr substr hello 2 3; expr index hello l
expr abc : 'a\(.\)c'; expr abc : 'x'; echo $?
expr 3 \> 2; expr a = b; expr 0; echo $?
expr 1 + x; echo $?
