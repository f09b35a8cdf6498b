# root reads what nobody may, but cannot execute what has no x at all.
echo data >f; chmod 000 f; cat f; echo $?
printf '#!/bin/sh\necho ran\n' >s; chmod 644 s; ./s; echo $?; chmod 100 s; ./s; echo $?
