# long
# tcc compiles, links and runs; straight from memory, too.
printf 'int twice(int n) { return 2 * n; }\n' >part.c
printf '#include <stdio.h>\n#include <stdlib.h>\nint twice(int);\nint main(int c, char **v) { printf("%%d %%s\\n", twice(atoi(v[1])), v[0]); return c; }\n' >main.c
tcc -c part.c && tcc -c main.c && tcc -o prog part.o main.o && ./prog 21; echo $?
tcc -run main.c 2>&1 | head -2
tcc -run part.c main.c 4; echo $?
printf '#!/usr/bin/tcc -run\n#include <stdio.h>\nint main(void) { puts("a script"); return 5; }\n' >script; chmod +x script; ./script; echo $?
tcc -shared -o libpart.so part.c && tcc main.c -L. -lpart -o shared && LD_LIBRARY_PATH=. ./shared 5; echo $?
tcc -b -run - <<'END' 2>&1 | grep -c 'bound\|outside\|invalid\|region'
#include <stdlib.h>
int main(void) { char *p = malloc(4); p[5] = 1; return p[5]; }
END
printf 'int main(void) { return x; }' | tcc -o none - 2>&1
tcc nowhere.c 2>&1
tcc -E -P main.c | tail -1
