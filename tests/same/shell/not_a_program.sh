printf 'not an ELF at all' >text; chmod +x text
sh -c ./text; echo $?
printf '\177ELF' >half; chmod +x half
./half; echo $?
: >empty; chmod +x empty; ./empty; echo $?
