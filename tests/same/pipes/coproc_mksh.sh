# shell: mksh
(while read -r line; do print -r -- "<$line>"; done) |&
print -p one
read -rp answer; print "$answer"
print -p two
read -rp answer; print "$answer"
exec 3>&p; exec 3>&-
wait
print "status $?"
