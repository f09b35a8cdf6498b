# shell: bash
# What only bash has: arrays, regular expressions, coprocesses, process substitution, printf's %q, mapfile, /dev/tcp refused.
declare -A m=([one]=1 [two]=2); for k in one two; do echo "$k ${m[$k]}"; done
[[ "abc123" =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[@]}"
coproc { tr a-z A-Z; }; echo hello >&"${COPROC[1]}"; p=${COPROC[1]}; exec {p}>&-; read -r line <&"${COPROC[0]}"; echo "$line"; wait
diff <(seq 1 5) <(seq 2 6)
mapfile -t lines < <(seq 3); echo "${#lines[@]} ${lines[2]}"
printf '%q %s %05d %x\n' "a b" str 42 255
echo {a..e}{1..2}; shopt -s extglob nullglob; touch x.c x.h y.o; echo !(*.o)
set -o pipefail; false | true; echo $?
time_it() { local -n r=$1; r=5; }; time_it v; echo $v
(exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null || echo refused
sleep 0.3 & sleep 0.1 & wait -n; echo "first $?"; wait
jobs; set -m; sleep 10 & jobs -l | sed 's/[0-9]\{2,\}/N/'; kill %1; wait %1 2>/dev/null; echo $?
select x in a b; do echo "got $x"; break; done <<<2 2>/dev/null
echo "${BASH_VERSINFO[0]}" $SECONDS; trap -p; read -t 0.1 x </dev/zero 2>/dev/null; echo timeout $?
