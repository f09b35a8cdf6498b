# shell: bash
# findutils: tests, actions, -exec, xargs in parallel.
mkdir -p a/b/c; seq 1 30 | xargs -I{} touch a/b/f{}; touch -d 2001-01-01 a/old; chmod 600 a/old; ln -s old a/link
find a -type f | wc -l; find a -newer a/old -type d | sort; find a -name 'f1*' -printf '%f %y %m\n' | sort | head -3; find a -type l -printf '%p -> %l\n'
find a -perm 600 -exec ls -ld --time-style=+%F {} +; find a -name 'f2?' -delete; find a -type f | wc -l; find a -maxdepth 1 -mindepth 1 | sort; find a -empty -type f | wc -l
seq 1 20 | xargs -n 3 -P 4 sh -c 'echo $#' | sort | uniq -c; find a -print0 | xargs -0 stat -c %n | sort | tail -2; find a -regex '.*/f1[0-3]' | sort; find nowhere; echo $?; echo a b | xargs -t echo; false | xargs false; echo $?
find a \( -name b -prune \) -o -print | sort; find a -samefile a/old; find a -size -1 | wc -l; find a -execdir pwd \; | sort -u
