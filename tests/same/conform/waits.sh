# needs: root programs
# What calls answer, right ones and wrong ones: waits.c, line by line.
exec ../same/files/waits 2>&1 | cat
