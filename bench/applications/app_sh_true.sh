# A shell that starts 1,000 dynamic programs, one after the other.
timed sh -c 'i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i + 1)); done'
