# needs: root programs
# What calls answer, right ones and wrong ones: network.c, line by line.
exec ../same/files/network 2>&1 | cat
