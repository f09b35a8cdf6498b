printf 'a:b:c\nd:e:f\n' >f
cut -d : -f 2 f; cut -d : -f 1,3 f; cut -c 1-3 f; cut -d : -f 2- f; cut -b 1 f
paste f f; paste -d , f f; paste -s f; seq 1 6 | paste - - -
cut -d : -f 5 f; printf 'nodelim\n' | cut -s -d : -f 1
