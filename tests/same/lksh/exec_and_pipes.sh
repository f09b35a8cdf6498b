# shell: lksh
seq 1 1000 | sort -r | head -n 1; (exit 3); echo $?; false || echo or; true && echo and; { echo g; } >f; cat f; trap 'echo t' USR1; kill -USR1 $$; umask 022; umask; ulimit -n >/dev/null; echo $?; cat <<E
$x here
E
