printf 'Hello\000\377\n0123456789abcdef' >f
od f; od -c f; od -x f; od -An -tx1 f; od -t d2 f; od -j 4 -N 4 -c f
hexdump f; hexdump -C f; hexdump -e '4/1 "%02x " "\n"' f
xxd f; xxd -p f; xxd -p f | xxd -r -p | cmp - f && echo same
