mkdir d; for n in 10b 05a 20c; do printf '#!/bin/sh\necho %s $*\n' $n >d/$n; chmod +x d/$n; done; touch d/notexec
run-parts d; run-parts -a arg d; run-parts --test d
