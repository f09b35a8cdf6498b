set -- a 'b c' d
echo $# "$1" "$2" "$3"
for i in "$@"; do echo "<$i>"; done
for i in $*; do echo "[$i]"; done
for i in "$*"; do echo "{$i}"; done
shift; echo $# "$1"
IFS=,; echo "$*"
set --; echo $#
