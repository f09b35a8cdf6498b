# shell: bash
seq 1 5 >f; mapfile -t l <f; echo ${#l[@]} ${l[4]}; mapfile -n 2 -s 1 -t l <f; echo "${l[@]}"; readarray -d : -t p <<<'a:b:c'; echo "${p[1]}"
mapfile -t big < <(seq 1 20000); echo ${#big[@]} ${big[19999]}
