(echo $((1 / 0))); echo "status $?"
(echo $((1 +))); echo "status $?"
