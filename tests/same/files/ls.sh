mkdir d; touch -d @0 .h a b d/x; ln -s a l; chmod 640 a; printf 123 >b; touch -d @0 b
ls; ls -a; ls -A; ls -d d; ls -F; ls -p; ls -1; ls -r; ls -R; ls -l a b | awk '{print $1, $3, $4, $5, $6, $7, $8, $9}'
ls -ln a | awk '{print $3, $4}'; ls missing; echo $?; ls --color=never -S a b; ls -lh b | awk '{print $5}'
