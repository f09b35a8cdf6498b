# shell: bash
bash-static -c 'trap "echo exit trap" EXIT; kill -TERM $$; sleep 1'; echo $?
bash-static -c 'trap "echo int; exit 3" INT; kill -INT $$; echo no'; echo $?
