# shell: zsh
zmodload zsh/mathfunc && print $((sqrt(2))) $((int(7.9))) $((3 ** 4)); print $((7 / 2)) $((7 / 2.0)) $((16#ff)) $(( [#16] 255 )); integer i=5; (( i++ )); print $i; float x=1.5; print $((x * 2))
