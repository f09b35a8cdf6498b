(trap 'echo cleanup' EXIT; echo data) | cat
{ trap 'echo t' EXIT; echo x; } | { cat; }
