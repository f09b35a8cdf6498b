printf '#!/bin/sh\necho "sh: $0 $*"\n' >a; chmod +x a; ./a 1 2
printf '#!/bin/sh -e\nfalse\necho unreached\n' >b; chmod +x b; ./b; echo $?
printf '#!/bin/cat\nself\n' >c; chmod +x c; ./c
printf '#!/nonexistent/interpreter\n' >d; chmod +x d; ./d; echo $?
printf '#!./a\n' >e; chmod +x e; ./e x
printf '#! /bin/echo one two\n' >f; chmod +x f; ./f three
