date -d nonsense; echo $?; date -d '2024-13-01'; echo $?; date +%Q; date -D '%d/%m/%Y' -d 31/12/1999 +%F
