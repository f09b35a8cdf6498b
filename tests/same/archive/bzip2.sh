seq 1 60000 >f; md5sum <f; bzip2 -1 f; bunzip2 -c f.bz2 | md5sum; bzcat f.bz2 | wc -l; wc -c <f.bz2; bunzip2 f.bz2; ls; echo broken | bunzip2 2>/dev/null; echo $?
