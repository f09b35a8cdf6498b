printf 'one two\nthree\n' >f; wc f; wc -l f; wc -w <f; wc -c f f; wc -L f
printf 'no newline' | wc -l
