# long
# gcc compiles, assembles and links a program of several files with a library of its own; the same objects come out; mistakes are told.
mkdir p; cd p
printf 'int twice(int n);\n' >part.h
printf '#include "part.h"\nint twice(int n) { return 2 * n; }\n' >part.c
printf '#include <stdio.h>\n#include <stdlib.h>\n#include <math.h>\n#include "part.h"\nint main(int c, char **v) { double r = sqrt(atof(v[1])); printf("%%d %%.3f %%s\\n", twice(c), r, __func__); return c; }\n' >main.c
printf '.globl three\nthree: mov $3, %%eax\nret\n.section .note.GNU-stack,""\n' >three.s
printf 'int three(void);\nint main(void) { return three() != 3; }\n' >asm.c
for level in 0 1 2 3 s; do
	gcc -O$level -c part.c -o part.o && gcc -O$level -c main.c -o main.o && gcc part.o main.o -o prog -lm && ./prog 2
	echo "$level $? $(cksum <part.o) $(cksum <main.o) $(cksum <prog)"
done
gcc -O2 -S -o - part.c | grep -v '^	.ident' | head -20
gcc -E -P main.c | tail -1
gcc -MM main.c part.c
gcc -Wall -Wextra -c -xc - -o w.o 2>&1 <<'END' | sed 's/^<stdin>//' | grep -E 'warning|error'
int f(int unused) { int n; return n == 1 ? 2 : 'ab'; }
void g(void) { undeclared(); }
END
gcc main.c -o broken 2>&1 | grep -o 'undefined reference.*'
gcc -c nowhere.c 2>&1 | head -1
printf 'int main(void) { return 1 +; }' | gcc -xc - -o none 2>&1 | grep error; ls none 2>&1
gcc asm.c three.s -o asm && ./asm; echo "asm $?"
gcc -static part.c main.c -lm -o static && ./static 9; echo "static $?"
gcc -shared -fPIC part.c -o libpart.so && gcc main.c -L. -lpart -lm -Wl,-rpath,"$PWD" -o shared && ./shared 16; echo "shared $?"
gcc -flto -O2 part.c main.c -lm -o lto && ./lto 25; echo "lto $?"
gcc -g -O0 -fsanitize=undefined -fno-sanitize-recover part.c main.c -lm -o ub 2>/dev/null && ./ub 36; echo "ubsan $?"
printf 'prog: main.o part.o\n\t$(CC) $^ -lm -o $@\nmain.o part.o: part.h\nclean:\n\trm -f *.o prog\n' >Makefile
make -s clean prog CC=gcc && ./prog 49; touch part.h; make -n CC=gcc; make -j3 CC=gcc >/dev/null; make CC=gcc
make nothing 2>&1 | sed 's/^make[^:]*: //'
