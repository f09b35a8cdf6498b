# shell: zsh
setopt multios
print twice >a >b
cat a b
print one >c
print two >>c
cat <a <c
