# needs: root programs
# What calls answer, right ones and wrong ones: owners.c, line by line.
exec ../same/files/owners 2>&1 | cat
