# shell: bash
set -o pipefail
false | true; echo $?
exit_with() { return "$1"; }
exit_with 3 | exit_with 5 | true; echo $? "${PIPESTATUS[@]}"
