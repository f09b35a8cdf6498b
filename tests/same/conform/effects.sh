# needs: root programs
# What calls answer, right ones and wrong ones: effects.c, line by line.
exec ../same/files/effects 2>&1 | cat
