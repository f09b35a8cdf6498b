HOME=/somewhere
echo ~ ~/x "~" a~
cd ~root && pwd
