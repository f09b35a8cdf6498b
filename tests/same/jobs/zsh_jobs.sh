# shell: zsh
setopt no_monitor
(exit 3) & wait $!; print $?
trap 'print caught' USR1; kill -USR1 $$; 
TRAPUSR2() { print "function trap $1"; }; kill -USR2 $$
sleep 100 & kill $!; wait $!; print $?
