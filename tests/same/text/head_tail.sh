seq 1 100 >f
head -n 3 f; tail -n 3 f; head -c 5 f; tail -c 5 f; tail -n +98 f; head -n -97 f
head -n 1 f f; tail -n 1 -q f f
