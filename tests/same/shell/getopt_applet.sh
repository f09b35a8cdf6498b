getopt -o ab:c:: --long alpha,beta: -- -a -b x --beta=y --alpha z; echo $?
getopt ab: -a -b x y
getopt -o a -- -q; echo $?
