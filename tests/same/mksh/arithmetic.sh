# shell: mksh
print $((7 / 2)) $((-7 % 3)) $((2#101)) $((16#ff)) $((5 > 3)) $((1 << 20)) $((2147483647 + 1)); let x=3+4; print $x; ((x += 1)); print $x; for i in 1 2 3; do ((s += i)); done; print $s
