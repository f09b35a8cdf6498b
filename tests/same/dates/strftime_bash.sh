# shell: bash
printf '%(%Y-%m-%d %H:%M:%S)T\n' 1234567890; TZ=CET-1 printf '%(%F %T %Z)T\n' 0; printf '%(%A %d %B)T\n' 86400
