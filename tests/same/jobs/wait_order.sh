# Children end in the reverse of their start; each status is kept.
mkfifo f1 f2 f3
exec 4<>f1 5<>f2 6<>f3
(read -r x <&4; exit 1) & p1=$!
(read -r x <&5; exit 2) & p2=$!
(read -r x <&6; exit 3) & p3=$!
echo >&6; echo >&5; echo >&4
wait $p1; echo $?
wait $p2; echo $?
wait $p3; echo $?
