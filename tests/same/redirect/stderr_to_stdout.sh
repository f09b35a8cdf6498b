sh -c 'echo out; echo err >&2' >both 2>&1
cat both
sh -c 'echo out; echo err >&2' 2>&1 >only_out
echo ---
cat only_out
