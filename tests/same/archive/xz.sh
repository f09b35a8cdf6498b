# busybox only unpacks xz: the packed text is in the case.
echo '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4ABPABBdABzmJQJSPmvvNUSrvaTcoAAAAAAAg8Y=' | base64 -d >bad.xz; unxz -c bad.xz >/dev/null 2>&1; echo $?
printf '\3757zXZ\0\0\4\346\326\264F\0\0\0\0\034\337D!\037\266\363}\1\0\0\0\0\4YZ' >empty.xz; xzcat empty.xz | wc -c; echo $?
