for s in CHLD CONT URG WINCH; do sh -c "kill -$s \$\$; echo $s ignored"; done
