# shell: zsh
s='Hello World'; print ${s:l} ${s:u} $s[1,5] ${s/o/0} ${s//o/0} ${#s} ${s%% *} ${(L)s} ${(q)s}; f=/a/b/c.txt; print $f:t $f:h $f:r $f:e; print ${(l:8::0:)${:-42}} ${(r:8::.:)${:-x}}
