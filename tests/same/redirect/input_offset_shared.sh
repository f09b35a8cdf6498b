seq 1 5 >f
exec 3<f
read -r a <&3
(read -r b <&3; echo "child $b")
read -r c <&3
echo "parent $a $c"
