exec 3<>f; echo data >&3; rm f; ls; echo more >&3; exec 4</proc/self/fd/3; cat <&4
ls -l /proc/self/fd/3 | sed 's/.*-> //' | sed "s,$HOME,H,"
