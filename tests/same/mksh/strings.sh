# shell: mksh
s=HelloWorld; print ${s:0:5} ${s#Hello} ${s%World} ${#s} ${s/o/0} ${s//o/0}; typeset -u u=up; print $u; typeset -l l=LOW; print $l; print -r 'a\nb'; print 'a\tb'; print -n x; print; typeset -Z5 z=42; print $z
