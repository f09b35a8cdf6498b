sh -c 'if true; then echo x'; echo "status $?"
sh -c 'echo a; ) '; echo "status $?"
sh -c "echo 'unterminated"; echo "status $?"
