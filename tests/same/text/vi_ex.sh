# vi without a terminal, told by options what to do.
seq 1 5 >f
vi -c ':2d' -c ':s/3/three/' -c ':wq' f </dev/null >/dev/null 2>&1; echo $?
cat f
