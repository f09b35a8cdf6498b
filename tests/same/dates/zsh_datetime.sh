# shell: zsh
zmodload zsh/datetime && strftime '%Y-%m-%d %H:%M:%S' 1234567890; print $(( EPOCHSECONDS > 1735689600 ))
