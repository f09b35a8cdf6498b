# shell: bash
[[ 'key = value' =~ ^([a-z]+)\ *=\ *(.*)$ ]] && echo "${BASH_REMATCH[1]}:${BASH_REMATCH[2]}"; [[ 2024-05-06 =~ ([0-9]+)-([0-9]+)-([0-9]+) ]]; echo "${BASH_REMATCH[@]:1}"; [[ x =~ [ ]] 2>/dev/null; echo $?
