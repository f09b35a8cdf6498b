# shell: zsh
paste -d: <(seq 1 3) <(seq 11 13)
cat =(print temporary)
