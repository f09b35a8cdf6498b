awk 'BEGIN {print strftime("%Y-%m-%d %H:%M:%S", 86400 * 365), mktime("2000 01 01 00 00 00")}'
