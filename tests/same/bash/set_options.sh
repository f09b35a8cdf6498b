# shell: bash
set -o | wc -l; echo $-; set -o noglob; echo *; set +o noglob; shopt -q extglob; echo $?; (set -o errexit; false; echo no); echo $?; (set -eo pipefail; false | true; echo no); echo $?
