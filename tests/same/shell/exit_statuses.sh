true; echo $?
false; echo $?
(exit 7); echo $?
sh -c 'exit 255'; echo $?
sh -c 'exit 256'; echo $?
nosuchcommand; echo $?
/nonexistent/program; echo $?
echo 'echo hi' >script; ./script; echo $?
mkdir dir; ./dir; echo $?
sh -c 'kill -TERM $$'; echo $?
sh -c 'kill -KILL $$'; echo $?
exit 42
