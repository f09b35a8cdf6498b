# shell: bash
trap '' PIPE
(while echo line; do :; done; echo "writer saw an error" >&2) 2>err | head -n 1
grep -c 'roken pipe' err
tail -n 1 err
