x=$(head -c 60000 /dev/zero | tr '\0' e); A=$x B=$x sh -c 'echo ${#A} ${#B}'; export C=$x; sh -c 'sh -c "echo \${#C}"'
