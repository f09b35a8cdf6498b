mkfifo to from
(while read -r x <to; do [ "$x" = end ] && break; echo "got $x" >from; done) &
for i in 1 2 3 4 5; do echo "msg $i" >to; read -r answer <from; echo "$answer"; done
echo end >to
wait
echo done
