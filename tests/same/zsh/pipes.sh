# shell: zsh
print -l c a b | sort | while read -r x; do l+=$x; done; print $l; print $pipestatus; false | true | false; print $pipestatus; seq 1 10000 | wc -l; { print a; print b >&2 } 2>&1 | sort
