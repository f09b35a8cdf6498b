printf 'a\nb\nc\n' >l; printf 'a\nB\nc\nd\n' >r
diff l r | tail -n +3; echo $?
diff -q l r; echo $?; diff l l; echo $?
cmp l r; cmp -s l r; echo $?; cmp l l && echo same
mkdir x y; echo 1 >x/f; echo 2 >y/f; echo 3 >x/g; diff -rq x y
