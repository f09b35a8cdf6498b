# shell: bash
a=(5 3 9 1 7 2 8 6 4 0); for ((i = 0; i < 10; i++)); do for ((j = 0; j < 9 - i; j++)); do if ((a[j] > a[j + 1])); then t=${a[j]}; a[j]=${a[j + 1]}; a[j + 1]=$t; fi; done; done; echo "${a[@]}"
