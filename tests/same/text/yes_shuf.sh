yes no | head -n 3; seq 1 100 | shuf | sort -n | md5sum; seq 1 100 | md5sum
shuf -i 1-10 | sort -n | tr '\n' ' '; shuf -e -n 1 x
