cal 2 2024; cal 9 1752; cal -y 2023 | md5sum
