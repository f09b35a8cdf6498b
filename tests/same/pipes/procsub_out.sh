# shell: bash
mkfifo f; exec 3<>f
seq 1 10 > >(awk '{s += $1} END {print s}' >sum; echo done >&3)
read -r -u 3
cat sum
