(set -u; echo "$undefined"; echo unreached); echo $?
(set -u; echo "${undefined:-fine}"); echo $?
