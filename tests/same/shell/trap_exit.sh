trap 'echo "exit trap $?"' EXIT
(trap 'echo sub trap' EXIT; echo in sub)
echo last
exit 3
