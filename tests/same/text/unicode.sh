# shell: bash
x='äöü€'; echo ${#x}; LC_ALL=C.UTF-8; echo ${#x}; printf '%s\n' "$x" | od -An -tx1
