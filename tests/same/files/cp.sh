mkdir -p s/t; echo 1 >s/a; echo 2 >s/t/b; ln -s a s/l; chmod 700 s/a; touch -d @1000 s/a
cp s/a c; stat -c '%a %s' c; cp -p s/a p; stat -c '%a %Y' p; cp -r s r; find r | sort; cp -a s z; readlink z/l
cp s x; echo $?; cp s/a s/a; echo $?; cp -r s s2 && cp s/a s/t/b r; ls r; cp missing x; echo $?
cp s/l followed; stat -c %F followed; cp -d s/l kept; stat -c %F kept
