# A reader that has the old file open keeps it.
echo old >f; exec 3<f; echo new >g; mv g f; cat <&3; cat f
exec 4<f; rm f; cat <&4; ls
