set -C
echo first >f
echo second >f
echo "status $?"
echo third >|f
cat f
