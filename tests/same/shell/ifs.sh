x=a:b::c
IFS=:; set -- $x; echo $# "$1" "$2" "$3" "$4"
IFS=' '; set -- $x; echo $#
IFS=; y='a b'; set -- $y; echo $# "$1"
unset IFS; y='  a   b  '; set -- $y; echo $# "$1" "$2"
