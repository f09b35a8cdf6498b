# needs: root programs
# What calls answer, right ones and wrong ones: threads.c, line by line.
exec ../same/files/threads 2>&1 | cat
