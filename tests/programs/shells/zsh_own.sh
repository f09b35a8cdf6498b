# shell: zsh
# What only zsh has: glob qualifiers, modules, floating point, associative arrays, multios.
zmodload zsh/datetime zsh/mathfunc zsh/zpty 2>&1; (( EPOCHSECONDS > 1000000 )) && echo clock
echo $(( sqrt(16) + 0.5 )); typeset -A h; h=(a 1 b 2); echo ${(ok)h} ${(ov)h}
mkdir -p d/e; touch d/f d/e/g; echo **/*(.) ; echo d/*(/)
a=(c a b); echo ${(o)a} ${a[-1]} ${#a}; echo ${(U)a[1]} ${(j:-:)a}
echo multi >m1 >m2; cat m1 m2
zpty p 'echo from pty'; zpty -r p line; print -r -- ${line//$'\r\n'/}; zpty -d p
print -P '%n' >/dev/null; autoload -Uz is-at-least && is-at-least 5.0 && echo new
