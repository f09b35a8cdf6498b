# shell: bash
[[ abc == a* ]] && echo glob; [[ abc =~ ^(a)(.)c$ ]] && echo "${BASH_REMATCH[2]}"
[[ a < b && ! -e missing ]] && echo and
x='two words'; [[ $x == 'two words' ]] && echo unquoted
[[ 10 -gt 9 ]] && echo number; [[ -v x ]] && echo set
