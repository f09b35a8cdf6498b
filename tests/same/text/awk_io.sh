awk 'BEGIN {while (("seq 1 3" | getline x) > 0) print "got " x; close("seq 1 3"); print "end" | "cat"; close("cat"); system("echo sys; exit 3"); print "done"}'
seq 1 6 | awk '{print > ("out" $1 % 2)}'; cat out0 out1 | tr '\n' ' '; echo
awk 'BEGIN {exit 7}'; echo $?
awk 'BEGIN {print ENVIRON["HOME"] != "", ARGC}' x y
awk 'BEGIN {print "to stderr" > "/dev/stderr"}'
