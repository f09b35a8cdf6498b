# shell: bash
diff <(seq 1 5) <(seq 1 6)
echo "status $?"
paste -d, <(seq 1 3) <(seq 4 6) <(seq 7 9)
