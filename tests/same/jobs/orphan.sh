# The parent ends first; the orphan still writes.
mkfifo f
sh -c '(sleep 0.1; echo orphan >f) & exit 0'
cat f
