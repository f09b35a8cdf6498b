# dd counts partial blocks as the pipe gave them; with fullblock they are whole.
(printf abc; printf defghij) | dd bs=4 iflag=fullblock 2>err | od -c
cat err | head -n 2
