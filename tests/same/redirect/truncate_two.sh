exec 3>f 4>f
echo aaaaaaaa >&3
echo bb >&4
od -c f
