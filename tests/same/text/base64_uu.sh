seq 1 100 >f
base64 f | head -n 2; base64 f | base64 -d | cmp - f && echo same
uuencode name <f | uudecode -o - | cmp - f && echo same
uuencode -m name <f | head -n 2
