# long
# clang compiles, links and runs a program of several files at several levels; the same objects come out; mistakes are told with a caret.
printf 'int twice(int n) { return 2 * n; }\n' >part.c
printf '#include <stdio.h>\n#include <stdlib.h>\nint twice(int);\nint main(int c, char **v) { printf("%%d\\n", twice(atoi(v[1]))); return c; }\n' >main.c
for level in 0 2 z; do
	clang -O$level -c part.c main.c && clang part.o main.o -o prog && ./prog 4
	echo "$level $? $(cksum <part.o) $(cksum <main.o)"
done
clang -O2 -S -emit-llvm -o - part.c | grep -E '^define|ret|shl'
clang -fsyntax-only -Wall -xc - 2>&1 <<'END'
int f(void) { int n; return n; }
int g(void) { return 1 +; }
END
clang main.c -o broken 2>&1 | grep -o 'undefined reference.*'
clang -shared -fPIC part.c -o libpart.so && clang main.c -L. -lpart -Wl,-rpath,"$PWD" -o shared && ./shared 5; echo $?
clang --version | head -1; clang nowhere.c 2>&1
