mkdir -p a/b/c; echo x >a/b/c/f; ln -s a/b x; ln -s ../b a/up; ln -s "$HOME/a" abs
cat x/c/f a/up/../b/c/f abs/b/c/f; ls -d x/ x/.; cd x/..; ls; cd "$HOME"
rm x/; echo $?; rmdir x; echo $?; rm x; ls a
echo new >dl; ln -s target to; echo through >to; cat target; mv to moved; cat moved; ls
