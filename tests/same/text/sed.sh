printf 'one\ntwo\nthree\nfour\n' >f
sed 's/o/0/' f; sed 's/o/0/g;s/t/T/' f
sed -n '2p;4p' f; sed '2,3d' f; sed '/two/,/three/d' f
sed '$a\last' f; sed '1i\first' f; sed 'y/abc/ABC/' f
sed -n '/t/{s/t/<&>/p}' f; sed -e '1!G;h;$!d' f
sed 's/\(.\)\(.\)/\2\1/' f; sed -E 's/(.)(.)/\2\1/' f
sed -n '$=' f; sed 3q f
