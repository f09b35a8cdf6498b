seq 1 250000 >f
md5sum f; sha1sum f; sha256sum f; sha512sum f | cut -c 1-40
