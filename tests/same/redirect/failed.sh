echo x >/nonexistent/file
echo "status $?"
cat <missing
echo "status $?"
command : <missing || echo "colon failed"
(: <missing; echo "not reached in sh") ; echo "subshell $?"
