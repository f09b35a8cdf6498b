# needs: root programs
# What calls answer, right ones and wrong ones: processes.c, line by line.
exec ../same/files/processes 2>&1 | cat
