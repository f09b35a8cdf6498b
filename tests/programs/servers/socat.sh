# shell: dash
# long
# socat: every kind of address that the loopback has.
socat TCP-LISTEN:7001,reuseaddr,fork,bind=127.0.0.1 EXEC:'tr a-z A-Z' & A=$!; socat UNIX-LISTEN:s,fork TCP:127.0.0.1:7001 & B=$!; sleep 0.5; echo tcp | socat -t 3 - TCP:127.0.0.1:7001; echo unix | socat -t 3 - UNIX-CONNECT:s; kill $A $B; wait
socat -u UDP-RECVFROM:7002,bind=127.0.0.1 - & A=$!; sleep 0.3; echo udp | socat - UDP:127.0.0.1:7002; wait $A; socat -u PIPE:fifo CREATE:out & A=$!; sleep 0.3; echo fifo > fifo; sleep 0.3; kill $A 2>/dev/null; wait; cat out
socat - EXEC:'sh -c "tty >/dev/null && echo istty; stty size"',pty,setsid,ctty </dev/null; socat -u SYSTEM:'seq 3' -; socat TCP6-LISTEN:7003,bind=[::1] SYSTEM:'cat' & sleep 0.3; echo six | socat - TCP6:[::1]:7003; wait; socat UDP-LISTEN:7004,bind=127.0.0.1,fork EXEC:cat & A=$!; sleep 0.3; echo dg | socat -t 1 - UDP:127.0.0.1:7004; kill $A; wait; socat ABSTRACT-LISTEN:abs - & A=$!; sleep 0.3; echo abstract | socat - ABSTRACT-CONNECT:abs; wait; socat PTY,link=p,raw,echo=0 EXEC:cat & A=$!; sleep 0.5; ls -l p | cut -c1; kill $A; wait
