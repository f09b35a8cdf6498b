[ 1 -lt 2 ] && echo lt; [ a = a ] && echo eq; [ a != b ] && echo ne
[ -z "" ] && echo z; [ -n x ] && echo n; [ ! -n "" ] && echo not
[ 1 -eq 1 -a 2 -eq 2 ] && echo and; [ 1 -eq 2 -o 2 -eq 2 ] && echo or
touch f; mkdir d; ln -s f l; mkfifo p; : >e; echo x >n
for t in -e -f -d -L -p -s -r -w -x -h; do
    for x in f d l p n missing; do [ $t $x ] && printf '%s ' "$t$x"; done
done; echo
touch -d '2020-01-01 00:00:00' old; touch -d '2021-01-01 00:00:00' new
[ new -nt old ] && echo newer; [ old -ot new ] && echo older; [ f -ef ./f ] && echo same
[ a b ]; echo $?
[ 1 -eq x ]; echo $?
