echo x >&-
echo "status $?"
(exec >&-; echo lost; echo "inner $?" >&2)
