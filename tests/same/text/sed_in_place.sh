seq 1 5 >f; seq 6 9 >g
sed -i 's/3/three/' f; cat f
sed -i.bak '1d' f g; ls; cat f g f.bak
