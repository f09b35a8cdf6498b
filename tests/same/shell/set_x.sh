set -x
x=1
echo "$x" 'two words'
for i in a b; do : $i; done
set +x
echo done
