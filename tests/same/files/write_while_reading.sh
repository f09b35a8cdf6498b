seq 1 10 >f; exec 3<f; read -r a <&3; echo 11 >>f; while read -r l <&3; do last=$l; done; echo $a $last
