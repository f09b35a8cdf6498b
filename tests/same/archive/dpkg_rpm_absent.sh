dpkg-deb -c /nonexistent.deb; echo $?; rpm2cpio /nonexistent.rpm; echo $?
