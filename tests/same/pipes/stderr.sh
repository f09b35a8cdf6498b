{ echo out; echo err >&2; } 2>&1 >/dev/null | sed 's/^/caught: /'
ls /nonexistent 2>&1 | sed 's/^/caught: /'
