seq 1 20 >f; cp f g; sed -i '5s/.*/five/;15d' g
diff -u f g | sed 's/\t.*//' >p
cp f h; patch h <p; cmp g h && echo patched
patch -R h <p; cmp f h && echo reversed
echo nonsense | patch h; echo $?
