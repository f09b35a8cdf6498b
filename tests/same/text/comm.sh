# busybox has no comm: grep does it.
printf 'a\nb\nc\n' >l; printf 'b\nc\nd\n' >r
grep -Fxf l r; grep -vFxf l r; grep -vFxf r l
