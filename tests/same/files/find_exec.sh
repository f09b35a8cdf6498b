touch a b c; find . -type f -exec echo found {} \; | sort; find . -type f -exec echo {} + | tr ' ' '\n' | sort
find . -type f -name a -exec false \; -print; find . -name b -exec rm {} \;; ls; find . -type f -print0 | xargs -0 ls
find . -type f -exec sh -c 'echo "$1" | tr a-z A-Z' sh {} \; | sort; find . -type f -quit | wc -l
