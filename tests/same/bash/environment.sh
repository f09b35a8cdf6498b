# shell: bash
export -f 2>/dev/null; f() { echo "exported function"; }; export -f f; bash-static -c f; declare -x V=1; bash-static -c 'echo $V'; declare -r R=1; R=2; echo $?; env -u V bash-static -c 'echo ${V-none}'
