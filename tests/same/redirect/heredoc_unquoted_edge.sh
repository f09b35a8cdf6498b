cat <<E
back\\slash \`no\` "quotes" 'single' line\
continued
E
