# shell: bash
exec 5>f
exec 6>&5-
echo six >&6
echo five >&5
echo "status $?"
cat f
