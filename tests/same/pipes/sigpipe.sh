# shell: bash
# The writer dies of SIGPIPE, and nobody says so.
yes | head -n 3
echo "${PIPESTATUS[*]}"
