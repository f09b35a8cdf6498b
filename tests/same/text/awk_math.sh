awk 'BEGIN {printf "%.6f %.6f %.6f %.6f\n", sin(1), cos(1), exp(1), log(10)}'
awk 'BEGIN {printf "%.4f %.4f %d\n", sqrt(2), atan2(1, 1), 2 ^ 31}'
awk 'BEGIN {srand(1); x = rand(); srand(1); print (x == rand())}'
awk 'BEGIN {print 0.1 + 0.2, 1e10, 1e300 * 1e10, 100000 * 100000, 17 / 4}'
