# shell: bash
# stdin: 2
# stdin: 9
# stdin: 3
PS3='choose: '
select x in alpha beta gamma; do echo "got '$x' for $REPLY"; [ "$REPLY" = 3 ] && break; done
