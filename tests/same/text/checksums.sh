printf 'abc' >f
md5sum f; sha1sum f; sha256sum f; sha512sum f; sha3sum f; crc32 f 2>/dev/null; cksum f 2>/dev/null
md5sum f >sums; md5sum -c sums; echo tampered >f; md5sum -c sums; echo $?
