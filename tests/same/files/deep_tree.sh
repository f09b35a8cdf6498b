d=.; i=0; while [ $i -lt 60 ]; do d=$d/sub$i; i=$((i + 1)); done
mkdir -p $d; echo deep >$d/f; find . -name f -exec cat {} \;; find . -type d | wc -l
cp -r sub0 copy; find copy | wc -l; rm -r sub0 copy; ls
