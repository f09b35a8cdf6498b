awk 'function fib(n) {return n < 2 ? n : fib(n - 1) + fib(n - 2)} BEGIN {print fib(17)}'
awk 'function f(a, i) {a["x"] = 1; i = 5} BEGIN {f(z); print z["x"], i + 0; delete z["x"]; print ("x" in z)}'
