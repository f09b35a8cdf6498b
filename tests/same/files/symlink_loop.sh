ln -s b a; ln -s a b; cat a; echo $?; ls a; stat -c %F a; cd a; echo $?
i=0; echo end >l0; while [ $i -lt 39 ]; do ln -s l$i l$((i + 1)); i=$((i + 1)); done; cat l39
ln -s l39 m0; ln -s m0 m1; ln -s m1 m2; cat m2; echo $?
