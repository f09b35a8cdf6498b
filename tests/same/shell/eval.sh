x='echo "from eval $y"'; y=5
eval "$x"
eval 'a=1; b=2'; echo $a$b
eval "for i in 1 2 3; do echo \$i; done" | tr '\n' ' '; echo
