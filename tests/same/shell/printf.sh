printf '%s %d %5d|%-5d|%05d\n' str 42 42 42 42
printf '%x %X %o %c %%\n' 255 255 8 char
printf '%.2f %e %g\n' 3.14159 12345.678 0.0001
printf '%s-%s\n' a b c
printf '\t\\ \101 \x42\n'
printf '%b\n' 'a\tb\n'
printf '%q\n' 'x y' 2>/dev/null; echo $?
printf '%d\n' abc; echo $?
printf '%10.3s|\n' abcdef
