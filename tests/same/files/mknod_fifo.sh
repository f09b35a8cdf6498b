mknod p p; ls -l p | cut -c 1; mkfifo -m 600 q; stat -c '%a %F' q; mkfifo p; echo $?
