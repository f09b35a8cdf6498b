f() { :; }
type f cd ls if | sed 's/.*is/is/'
command -v cd ls nosuch; echo $?
command echo x
