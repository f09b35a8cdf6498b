# shell: mksh
for i in 1 2 3; do [[ $i = 2 ]] && continue; print $i; done; case abc in a*) print a;& b) print fell;; esac; [[ abc = a* ]] && print glob; select x in p q; do print $x; break; done <<<2 2>/dev/null; set -o pipefail; false | true; print $?
