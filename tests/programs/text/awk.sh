# shell: bash
# gawk and mawk on the same programs, and what only gawk has.
seq 1 5000 >n
for a in mawk gawk; do
$a '{s += $1} END {print s, NR}' n; $a 'BEGIN {while (("echo a b; echo c" | getline l) > 0) print "got", l; close("echo a b; echo c")}'
$a '{c[$1 % 5]++} END {for (i = 0; i < 5; i++) printf "%d:%d ", i, c[i]; print ""}' n; echo 'a:b:c' | $a -F: '{print $3, NF; $2 = "x"; print}'; $a 'BEGIN {print length("abc"), substr("hello", 2, 3), toupper("x"), index("abc", "c"), sprintf("%.3f", 22 / 7); print match("foobar", /o+/), RSTART, RLENGTH}'
$a 'function f(n) {return n < 2 ? n : f(n - 1) + f(n - 2)} BEGIN {print f(18)}'; $a 'BEGIN {print "z\ny\nx" | "sort"; close("sort"); system("exit 3"); print ENVIRON["HOME"]}'; $a '{print > ("out" $1 % 2)} END {close("out0")}' n; wc -l out0 out1; $a '{gsub(/1/, "one")} NR == 11' n; done
gawk 'BEGIN {n = split("c a b", x); asort(x); print x[1] x[2] x[3]; print gensub(/(a)(b)/, "\\2\\1", "g", "abab"); print strftime("%F", 0, 1); "date -u -d @0 +%s" |& getline d; print d}'
gawk --version | head -1; gawk 'BEGIN { cmd = "tr a-z A-Z"; print "text" |& cmd; close(cmd, "to"); cmd |& getline r; print r }'; gawk -M 'BEGIN {print 2^100}'; gawk 'BEGIN {PROCINFO["sorted_in"] = "@ind_num_asc"; a[3]; a[1]; a[2]; for (i in a) print i}'
