printf 'x=sourced\nf() { echo "f $1"; }\nreturn 3\necho unreached\n' >lib
. ./lib; echo "$? $x"; f arg
. ./missing; echo unreached
