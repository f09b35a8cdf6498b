printf 'ab\000hello world\001\002more text here\377x' >f; strings f; strings -n 12 f
