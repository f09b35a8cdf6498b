# shell: bash
# Larger than a pipe buffer.
text=$(seq 1 40000)
md5sum <<END
$text
END
cat <<<"here string $((6 * 7))"
