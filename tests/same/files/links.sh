echo data >a; ln a b; ln -s a s; ln -s missing dangling; ln -s . self
ls -l | awk '{print $1, $2, $9, $10, $11}' | sed 1d
cat s b; cat dangling; echo $?; readlink s; readlink dangling; readlink -f self/self/s | sed "s,$HOME,H,"
echo more >>b; cat a; rm a; cat b; cat s; echo $?
ln b s; echo $?; ln -sf b s; cat s; ln -s x self; ls self/; readlink self
