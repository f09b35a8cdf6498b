i=0
while [ $i -lt 50 ]; do x=$(/bin/busybox expr $i \* 2); i=$((i + 1)); done
echo $x
