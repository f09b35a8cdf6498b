# shell: dash
# long
# sshd for itself: commands, terminals, scp, sftp, a tunnel, an agent.
mkdir -p /run/sshd h/.ssh; ssh-keygen -q -t ed25519 -N '' -f k; ssh-keygen -q -t ed25519 -N "" -f hk; cp k.pub h/.ssh/ak; chmod 755 .
cat > c <<R
Port 2022
ListenAddress 127.0.0.1
HostKey $PWD/hk
AuthorizedKeysFile $PWD/h/.ssh/ak
PidFile $PWD/pid
UsePAM no
StrictModes no
PermitRootLogin yes
Subsystem sftp /usr/lib/openssh/sftp-server
R
/usr/sbin/sshd -D -f c -E slog & S=$!
O="-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=$PWD/kh -i k -p 2022 -o LogLevel=ERROR"
for i in $(seq 50); do ssh $O root@127.0.0.1 true && break; sleep 0.2; done
ssh $O root@127.0.0.1 'echo remote; id -u; exit 3'; echo $?; seq 30000 | ssh $O root@127.0.0.1 'sort -n | sha256sum'; ssh $O -tt root@127.0.0.1 'tty | cut -c1-8; stty size' </dev/null; seq 1000 > f; scp -q -P 2022 -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=$PWD/kh -i k f root@127.0.0.1:$PWD/g; cmp f g && echo same; printf "put f h/sf\nls -1 h\n" | sftp -q -b - -F none -P 2022 -o StrictHostKeyChecking=no -o UserKnownHostsFile=$PWD/kh -i k root@127.0.0.1:$PWD 2>&1 | tail -1
ssh $O -f -N -L 2023:127.0.0.1:2022 root@127.0.0.1; ssh $O -p 2023 root@127.0.0.1 echo tunnel; eval $(ssh-agent) >/dev/null; ssh-add -q k; ssh-add -l | cut -d' ' -f1,4; ssh-agent -k >/dev/null; kill $S; wait $S; echo $?; grep -i -E 'error|fatal|fail' slog | head
