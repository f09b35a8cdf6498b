touch f; for m in 644 600 755 000 4755 2755 1777 a+x u-r,g+w =rx o=g; do chmod $m f; stat -c '%a %A' f; done
chmod 999 f; echo $?; chmod 644 missing; echo $?
