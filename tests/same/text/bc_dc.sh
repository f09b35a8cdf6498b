echo '2^64; scale=10; 1/7; sqrt(2)' | bc
echo '5 3 + p 2 * p' | dc
echo 'r = 1; for (i = 1; i <= 25; i++) r *= i; r' | bc
echo 'ibase=16; FF; obase=2; 5' | bc
