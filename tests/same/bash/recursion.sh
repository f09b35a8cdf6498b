# shell: bash
fib() { local n=$1; if ((n < 2)); then r=$n; return; fi; fib $((n - 1)); local a=$r; fib $((n - 2)); ((r += a)); }; fib 14; echo $r
