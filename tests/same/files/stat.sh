printf 12345 >f; touch -d '2021-06-07 08:09:10' f; mkdir d; ln -s f l; mkfifo p
stat -c '%n %s %F %h %u %g %a' f l p; stat -c '%n %F %a' d
stat -c '%y' f; stat -c '%Y' f; stat -L -c '%s %F' l; stat -c '%N' l
stat missing; echo $?
stat -f -c '%T' /proc
