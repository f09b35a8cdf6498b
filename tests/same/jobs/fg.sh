# shell: bash
set -m
(sleep 0.5; echo working; exit 5) &
fg %1 >/dev/null; echo $?
