echo hello | rev; basename /a/b/c.txt .txt; dirname /a/b/c.txt; dirname x
echo -n no newline; echo; echo -e 'a\tb\c'; echo; ascii | head -n 2
