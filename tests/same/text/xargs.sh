seq 1 10 | xargs echo; seq 1 10 | xargs -n 3 echo; echo 'a b  c' | xargs -n 1
printf 'a b\0c\0' | xargs -0 -n 1 echo; seq 1 3 | xargs -I {} echo 'x{}y'
echo | xargs echo none; echo | xargs -r echo none
seq 1 3 | xargs -n 1 sh -c 'exit $0'; echo $?
echo x | xargs nosuchcommand; echo $?
seq 1 20000 | xargs echo | wc -w
