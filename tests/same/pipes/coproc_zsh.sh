# shell: zsh
coproc tr a-z A-Z
print -p hello
exec 4<&p
coproc exit
read -r -u 4 answer
print $answer
