mkdir d; cd d; rmdir ../d; echo x >f; echo $?; ls; ls .; cd ..; pwd | sed "s,$HOME,H,"; ls
