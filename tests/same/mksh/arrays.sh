# shell: mksh
set -A a one two three; print ${#a[*]} ${a[1]} "${a[@]}"; a[5]=six; print ${!a[*]}; b=(x y); b+=(z); print ${b[*]}; unset a[0]; print ${a[*]}; typeset -i n=5; n+=3; print $n
