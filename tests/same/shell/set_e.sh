(set -e; false; echo unreached); echo $?
(set -e; false || echo handled; if false; then :; fi; ! true; echo reached); echo $?
(set -e; f() { false; echo in_f; }; f; echo unreached); echo $?
(set -e; x=$(false); echo unreached); echo $?
(set -e; (exit 3); echo unreached); echo $?
