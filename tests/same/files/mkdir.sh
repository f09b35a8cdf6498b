mkdir a; mkdir a; echo $?; mkdir -p a/b/c a/b/d; mkdir x/y; echo $?; mkdir -m 700 m; stat -c %a m
rmdir a; echo $?; rmdir a/b/c a/b/d a/b a; ls; mkdir -p p/q/r; rmdir -p p/q/r; ls
touch f; mkdir f; echo $?; mkdir f/x; echo $?; rmdir f; echo $?; stat -c %h m; mkdir m/1 m/2; stat -c %h m
