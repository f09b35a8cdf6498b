date -u -d @0 '+%Y-%m-%d %H:%M:%S %a %b %j %U %p %Z %z %s'
date -u -d @1700000000; date -u -d @1700000000 +%c; date -u -d @1700000000 -R; date -u -d @1700000000 -I; date -u -d @1700000000 -Iseconds
date -u -d '2024-02-29 12:34:56' +%s; date -u -d 2038-01-19T03:14:08 +%s 2>&1; date -u -d '2100-01-01' +%s
