sleep 100 & p=$!; while [ "$(cat /proc/$p/comm)" != sleep ]; do /bin/sleep 0.01; done
ps -o pid,comm | awk -v p=$p '$1 == p {print $2}'; ps | awk -v p=$p '$1 == p {print "listed"}'; pidof sleep | tr ' ' '\n' | grep -cx $p; kill $p; wait $p 2>/dev/null; ps | awk -v p=$p '$1 == p {print "still"}'; echo done
