# shell: bash
{ sleep 0.1; echo late; echo $? >&2; } 2>status | exec 0<&-
cat status 2>/dev/null | grep -c . 
echo done
