# needs: root programs
# What calls answer, right ones and wrong ones: descriptors.c, line by line.
exec ../same/files/descriptors 2>&1 | cat
