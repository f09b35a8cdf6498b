# shell: mksh
cat <<<"here $((1+1))"; cat <<-E | tr a-z A-Z
	one
	E
seq 1 5 | while read -r x; do print -n "$x "; done; print; print -u2 err; exec 3>f; print -u3 x; exec 3>&-; cat f; read -r a b <<<"1 2"; print $b $a; seq 1 20000 | sort -n | tail -n 1
