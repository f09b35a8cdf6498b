# shell: zsh
# needs: root
mkdir t; chmod 1777 t; chmod 755 .; touch t/roots
(EUID=1000; rm -f t/roots; print $?; touch t/mine; mv t/mine t/mine2; print $?; rm t/mine2; print $?) 2>&1
ls t
