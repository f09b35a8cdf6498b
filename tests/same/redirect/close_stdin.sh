cat <&- ; echo "status $?"
exec <&-
read -r x; echo "read $?"
