printf 'one two three four\n' | { read -r a b c; echo "$a|$b|$c"; }
printf 'back\\slash\\\ncontinued\n' | { read x; echo "$x"; }
printf 'back\\slash\n' | { read -r x; echo "$x"; }
printf 'no newline' | { read -r x; echo "$? $x"; }
printf 'a:b:c\n' | { IFS=: read -r a b; echo "$a $b"; }
printf '' | { read -r x; echo "$?"; }
