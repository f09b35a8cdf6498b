# shell: bash
trap 'echo "next: $BASH_COMMAND"' DEBUG
x=1
echo $x
trap - DEBUG
echo quiet
