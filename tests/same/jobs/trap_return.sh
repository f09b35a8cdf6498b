# shell: bash
f() { trap 'echo returning' RETURN; echo body; return 3; }
f; echo $?
