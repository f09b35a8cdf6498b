# all byte values, in both directions
i=0; while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done >all
wc -c <all
cat all | cat | md5sum
md5sum <all
od -A d -t x1 all | head -n 3
