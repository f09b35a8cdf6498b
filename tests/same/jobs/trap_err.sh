# shell: bash
trap 'echo "err on line $LINENO: $?"' ERR
false
true
(exit 5)
f() { false; }
f
set -E
f
