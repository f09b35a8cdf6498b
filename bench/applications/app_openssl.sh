# 4 MiB encrypted with a password's key, signed, and the signature checked.
head -c 4194304 /dev/zero >plain
openssl genrsa -out key 2048 2>/dev/null
openssl rsa -in key -pubout -out public 2>/dev/null
timed sh -c 'openssl enc -aes-256-cbc -pbkdf2 -iter 10000 -pass pass:x -in plain -out cipher && openssl dgst -sha256 -sign key -out signature cipher && openssl dgst -sha256 -verify public -signature signature cipher'
