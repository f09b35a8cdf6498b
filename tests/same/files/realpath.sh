mkdir -p a/b; ln -s a l; realpath l/b a/../l . | sed "s,$HOME,H,"; realpath missing | sed "s,$HOME,H,"; realpath missing/x; echo $?
readlink a; echo $?; readlink -f missing | sed "s,$HOME,H,"
