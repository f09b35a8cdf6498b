seq 1 12 | xargs -P 4 -n 1 sh -c 'echo $(($0 * $0))' | sort -n | tr '\n' ' '
echo
