mkdir -p d/e; echo needle >d/a; echo hay >d/b; echo 'needle two' >d/e/c
grep -r needle d | sort
grep -rl needle d | sort
grep -rL needle d | sort
