# shell: zsh
# needs: root
touch f; chown 1000:100 f; stat -c '%u %g' f; chown root f; stat -c '%u %U %g %G' f; chgrp 5 f; stat -c '%G' f
ln -s f l; chown -h 1000 l; stat -c %u l f; chown nosuchuser f; print $?; chmod 4755 f; chown 1 f; stat -c %a f
