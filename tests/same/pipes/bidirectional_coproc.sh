# shell: bash
coproc UP { while read -r line; do echo "${line^^}"; done; }
pid=$UP_PID
for word in alpha beta gamma; do
    echo "$word" >&"${UP[1]}"
    read -r answer <&"${UP[0]}"
    echo "$answer"
done
exec {UP[1]}>&-
wait "$pid"
echo "status $?"
