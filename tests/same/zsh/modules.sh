# shell: zsh
zmodload zsh/stat zsh/files 2>/dev/null; print $?; print -n hello >f; zstat +size f; zstat -A s +mode f; print $(( s[1] & 0777 )); zmodload zsh/system && { sysread -i 0 -s 5 x <f; print $x }; zmodload zsh/zselect && zselect -t 1; print $?
