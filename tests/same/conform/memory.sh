# needs: root programs
# What calls answer, right ones and wrong ones: memory.c, line by line.
exec ../same/files/memory 2>&1 | cat
