seq 1 5 | less; seq 1 3 | more
