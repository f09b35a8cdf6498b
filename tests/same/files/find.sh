mkdir -p a/b/c; touch -d '2020-01-01' a/1.txt a/b/2.txt a/b/c/3.log; echo xx >a/b/big; ln -s 1.txt a/l
find a | sort; find a -name '*.txt' | sort; find a -type d | sort; find a -type l; find a -maxdepth 1 | sort; find a -mindepth 2 -type f | sort
find a -size +0c -type f; find a -empty -type f | sort; find a -newer a/1.txt -type f; find a -perm 644 -type f | wc -l
find a -name c -prune -o -type f -print | sort; find a \( -name '1*' -o -name '3*' \) | sort; find a ! -type d | sort
find a -path '*b/c*' | sort; find a -iname '*.TXT' | sort; find missing; echo $?
