# shell: bash
for x in a b c; do case $x in a) echo a ;& b) echo ab ;; c) echo c ;;& *) echo any ;; esac; done
