mkdir -p d/e; touch d/f d/e/g; rm d; echo $?; rm -r d; ls; rm missing; echo $?; rm -f missing; echo $?
touch -- -x; rm -- -x; touch a b c; rm -v a b; rm -rf . ; echo $?; rm -rf ..; echo $?; ls
