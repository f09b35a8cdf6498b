echo 'single $x' "double \$x \" \\" un\ quoted
echo "a'b" 'a"b' "nested $(echo "inner $(echo deep)")"
echo "`echo backquote \`echo nested\``"
echo a\
b
printf '%s\n' "tab	here" 'line
break'
