# shell: zsh
touch a b c; mkdir d; touch d/f; ln -s a l
print *(.) ; print *(/) ; print *(@) ; print **/*(.) ; print -l *(on[1]) ; setopt extended_glob; print ^a; print (a|b); print *~b
print nomatch* || print failed
