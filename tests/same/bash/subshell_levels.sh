# shell: bash
echo $BASH_SUBSHELL $(echo $BASH_SUBSHELL $(echo $BASH_SUBSHELL)); (echo $BASH_SUBSHELL; (echo $BASH_SUBSHELL)); [ "$BASHPID" = "$$" ] && echo same; ([ "$BASHPID" = "$$" ] || echo different)
