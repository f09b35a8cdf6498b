f() {
    OPTIND=1
    while getopts ab:c opt; do
        case $opt in a|c) echo "flag $opt" ;; b) echo "b=$OPTARG" ;; *) echo "bad $opt" ;; esac
    done
    shift $((OPTIND - 1)); echo "rest: $*"
}
f -a -b value -c x y
f -abvalue -- -c
f -b
f -z
