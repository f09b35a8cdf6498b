# shell: zsh
integer i s; for ((i = 0; i < 20000; i++)) { (( s += i )) }; print $s; a=({1..5000}); print $#a ${a[5000]}; x=$(repeat 1000 print -n ab); print ${#x}
