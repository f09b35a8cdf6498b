# shell: dash
# long
# gdb: a program without symbols that signals itself, catches, registers, memory, steps; attaching and leaving.
debug() { gdb -nx -batch "$@" 2>&1 | grep -v '^warning\|^\[\|in .* ()\|^0x\|^Download\|^Debuginfod\|^$'; }
debug -ex run -ex 'print $_siginfo.si_signo' -ex 'print $cs' -ex 'print $_siginfo.si_code' -ex kill --args dash -c 'kill -USR1 $$; exit 3'
debug -ex 'handle SIGUSR1 nostop noprint pass' -ex run -ex 'print $_exitcode' --args dash -c 'trap "exit 4" USR1; kill -USR1 $$; exit 3'
debug -ex 'catch syscall exit_group' -ex run -ex 'print $rdi' -ex 'set $rdi = 9' -ex continue -ex 'print $_exitcode' --args dash -c 'exit 3' | sed 's/0x[0-9a-f]*/X/g'
debug -ex starti -ex 'set $before = $pc' -ex stepi -ex 'print $pc != $before' -ex 'print *(char *)$pc == *(char *)$pc' -ex 'print *(int *)0' -ex kill dash
sleep 100 &
debug -p $! -ex 'print $pc != 0' -ex 'print $cs' -ex detach | sed 's/process [0-9]*/process N/'
kill -0 $! && echo "it runs"
kill $!
debug -p 999999 | sed 's/.*: //'
