printf '10 b\n9 a\n2 c\n10 a\n' >f
sort f; sort -n f; sort -rn f; sort -k 2 f; sort -k 2,2 -k 1,1n f
printf 'b\na\nb\nc\na\n' | sort -u
printf 'x:3\ny:1\nz:2\n' | sort -t : -k 2 -n
sort -c f; echo $?
sort -m f f | wc -l
printf 'v1.10\nv1.9\nv1.2\n' | sort -V
