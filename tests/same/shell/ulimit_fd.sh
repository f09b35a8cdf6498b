ulimit -n 10
exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null 8</dev/null 9</dev/null
(cat /dev/null) ; echo $?
cat 8<&- /dev/null 9<&-; echo $?
