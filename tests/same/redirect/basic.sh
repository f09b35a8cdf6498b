echo one >f
echo two >>f
cat <f
cat f f >g
wc -l <g
: >f
wc -c <f
