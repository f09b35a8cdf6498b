x=hello; unset y; z=
echo "${x:-d}" "${y:-d}" "${z:-d}" "${z-d}" "${y-d}"
echo "${x:+s}" "${y:+s}" "${z:+s}" "${z+s}"
echo "${y:=assigned}" "$y"
echo "${#x}" "${x#he}" "${x%lo}" "${x##*l}" "${x%%l*}"
p=/usr/local/lib/file.tar.gz
echo "${p##*/}" "${p%/*}" "${p%%.*}" "${p#*.}"
(echo "${unset_var?is not set}"); echo "status $?"
echo "${x:1:3}" "${x/l/L}" "${x//l/L}"
