touch a b c
set -f; echo *; set +f; echo *
sh -n -c 'echo not run'; echo $?
sh -n -c 'if'; echo $?
