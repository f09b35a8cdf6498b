# shell: bash
ls /nonexistent f &>all
echo status $?
echo more &>>all
wc -l <all
exec {fd}>dyn
echo x >&$fd
[ "$fd" -ge 10 ] && echo high
exec {fd}>&-
cat dyn
