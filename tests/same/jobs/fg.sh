# shell: bash
set -m
(echo working; exit 5) &
fg %1 >/dev/null; echo $?
