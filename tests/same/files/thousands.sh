mkdir d; i=0; while [ $i -lt 3000 ]; do : >d/f$i; i=$((i + 1)); done
ls d | wc -l; ls d | sort | md5sum; set -- d/f1*; echo $#; find d -name 'f*7' | wc -l
rm d/f*5; ls d | wc -l; mv d e; ls e | md5sum; rm -r e; ls
