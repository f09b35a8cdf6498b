# shell: bash
f() { echo a; exit 4; }; f | cat; echo "${PIPESTATUS[@]}"; (f); echo $?; { echo x; exit 7; } | cat; echo still
