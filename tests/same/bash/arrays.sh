# shell: bash
a=(one 'two words' three); echo ${#a[@]} "${a[1]}" "${a[@]:1}" "${!a[@]}"; a+=(four); a[10]=ten; echo "${!a[@]}"; unset 'a[0]'; echo "${a[@]}"
for x in "${a[@]}"; do printf '<%s>' "$x"; done; echo; echo "${a[-1]}" "${a[@]/o/0}" "${a[*]^^}"
declare -A m=([x]=1 [y]=2); m[z]=3; for k in x y z; do echo "$k=${m[$k]}"; done; echo ${#m[@]}; unset 'm[x]'; echo ${m[x]-gone}
