touch -d '2000-01-02 03:04:05' a; date -r a '+%Y-%m-%d %H:%M:%S'
touch -t 199912312359.58 b; date -r b '+%Y-%m-%d %H:%M:%S'
touch -r a c; date -r c +%s; touch -c nope; ls
touch -d @86400 e; stat -c %Y e
