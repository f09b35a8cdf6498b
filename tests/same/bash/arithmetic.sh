# shell: bash
for ((i = 0, j = 10; i < j; i += 3, j--)); do echo "$i $j"; done; ((x = 5, x = x ** 2)); echo $x $((x > 3 ? 1 : 0)) $((16#ff)) $((2#1010)) $((x, 7))
let y=3*4; echo $y; ((0)); echo $?; ((1)); echo $?; echo $((-17 % 5)) $((1 << 62))
