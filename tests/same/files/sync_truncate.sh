echo data >f; sync; fsync f 2>/dev/null; truncate -s 100 f; wc -c <f; fallocate -l 200 f; echo $?; wc -c <f
