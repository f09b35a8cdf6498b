text=$(seq 1 30000)
cat <<END | md5sum
$text
END
