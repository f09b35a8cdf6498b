echo 1 >a; echo 2 >b; mv a b; cat b; ls; mkdir d e; mv b d; ls d; mv d e; ls e
mv e/d e; echo $?; mv missing x; echo $?; touch f; mv f e/d/b; ls -R
mkdir full empty; touch full/x; mv -T empty full 2>&1 | head -n 1; mv e e/d; echo $?
