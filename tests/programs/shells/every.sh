# shell: bash dash mksh zsh
# Pipes, subshells, functions, here-documents, traps, jobs and expansions of each shell, linked dynamically.
f() { echo "f $# $1"; return 3; }
f a b; echo status $?
echo $( (echo inner; exit 4); echo "after $?")
seq 1 500 | while read n; do [ $((n % 100)) = 0 ] && echo $n; done
cat <<END | tr a-z A-Z
here $((6 * 7)) ${HOME##*/}
END
trap 'echo usr1' USR1
kill -USR1 $$
trap 'echo leaving' EXIT
[ -z "$BASH_VERSION" ] || exec 2>/dev/null # it names the killed one's pid
sleep 5 & pid=$!; sleep 0.3
kill -TERM $pid; wait $pid; echo "wait $?"
(exit 7) & wait $!; echo "wait $?"
for w in *; do echo "glob $w"; done 2>/dev/null
touch b a c; echo *; echo [ab]
case $PWD in */case) echo in case;; esac
x=abcdef; echo ${#x} ${x%de*} ${x#*c}
set -- 1 2 3; shift; echo "$*"
i=0; while [ $i -lt 50 ]; do /bin/true || echo bad; i=$((i + 1)); done; echo $i
exec 3>out; echo three >&3; exec 3>&-; cat out
echo $(ulimit -n >/dev/null && echo limit) ; umask
cd /; pwd; cd -
nonexistent_command_x; echo $?
