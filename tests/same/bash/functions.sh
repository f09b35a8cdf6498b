# shell: bash
f() { local -i n=$1; ((n <= 1)) && { echo 1; return; }; echo $((n * $(f $((n - 1))))); }; f 12
g() { local -a l=("$@"); echo "${#l[@]} ${FUNCNAME[0]}"; }; g a b c; declare -f g | head -n 2; h() ( cd /; pwd; exit 3 ); h; echo $?
