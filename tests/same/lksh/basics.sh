# shell: lksh
x=5; echo $((x * 2)) ${x:-d} ${#x}; set -- a b c; echo $# $2; for i; do echo $i; done; f() { return 7; }; f; echo $?; case x in [a-z]) echo m;; esac; echo `echo bq` $(echo ds); [ -d / ] && echo dir; echo "$((2147483647 + 1))"
