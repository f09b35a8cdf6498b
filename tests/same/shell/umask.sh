umask; umask 077; umask; touch f; mkdir d; ls -ld f d | cut -c 1-10
umask 000; touch g; mkdir e; ls -ld g e | cut -c 1-10
umask -S; umask u=rwx,g=rx,o=; umask
