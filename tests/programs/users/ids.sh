# shell: bash
# long
# Set-ID programs of Debian: su and newgrp with passwords, passwd and chage by themselves, and helpers that PAM starts.
hash=$(openssl passwd -6 -salt abcdefgh secret)
printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/tmp:/bin/sh\nbob:x:1001:1001::/tmp:/bin/sh\n' > /etc/passwd
printf 'root:x:0:\nalice:x:1000:\nbob:x:1001:\nshadow:x:42:\nstaff:x:50:alice\nvips:x:51:\n' > /etc/group
for name in root alice bob; do echo "$name:$hash:19000:0:99999:7:::"; done > /etc/shadow
chgrp 42 /etc/shadow
chmod 640 /etc/shadow
for kind in auth account session password; do echo "$kind required pam_unix.so" > /etc/pam.d/common-$kind; done
su alice -c 'id; id -ru'
su alice -c 'su bob -c id < /dev/null' 2> /dev/null || echo no password
su alice -c 'echo secret | su bob -c "id; id -ru; echo \$PPID | grep -c ."' 2> /dev/null
su alice -c 'echo wrong | su bob -c id' 2> /dev/null || echo wrong password
su alice -c 'echo secret | su -c "id; cat /etc/shadow | wc -l"' 2> /dev/null
su alice -c 'passwd -S; passwd -S bob 2>&1; chage -l alice | head -n 1; cat /etc/shadow 2>&1'
su alice -c 'echo id | newgrp staff; echo id | newgrp vips < /dev/null; id' 2> /dev/null
su alice -c 'printf "secret\nanother-Word7\nanother-Word7\n" | passwd > /dev/null 2>&1; echo $?'
su bob -c 'echo another-Word7 | su alice -c "id -un"' 2> /dev/null
{
    su alice -c 'echo a'
    echo b
    su bob -c 'echo secret | su -c "echo c"'
    echo d
} > /tmp/list 2> /dev/null
cat /tmp/list
su alice -c 'cp /usr/bin/id /tmp/own-id; chmod u+s /tmp/own-id'
su bob -c '/tmp/own-id -un; setpriv --no-new-privs /tmp/own-id -un'
su bob -c 'kill -0 $(cat /tmp/none) 2> /dev/null; kill -0 1 2>&1 | grep -c permitted'
