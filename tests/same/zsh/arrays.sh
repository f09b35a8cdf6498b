# shell: zsh
a=(one two three); print $#a $a[1] $a[-1] $a[2,3]; a+=(four); print ${(j:,:)a} ${(U)a} ${(o)a} ${(O)a}; typeset -A m; m=(x 1 y 2); print ${(ok)m} $m[x]; print ${a[(r)t*]} ${a[(i)two]}
for k v in ${(kv)m}; do print "$k=$v"; done | sort; print -l ${(s.:.)${:-a:b:c}}; print ${#a} ${a:#t*}
