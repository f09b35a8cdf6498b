set -- $(seq 1 5000)
echo $#
/bin/echo "$@" | md5sum
sh -c 'echo $# ${5000}' sh "$@"
