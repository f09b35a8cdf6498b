# shell: bash
# The clock is past 2025, moves, and agrees between programs.
a=$(date +%s); [ "$a" -gt 1735689600 ] && echo "past 2025"
b=$EPOCHSECONDS; [ $((b - a)) -ge 0 ] && [ $((b - a)) -lt 30 ] && echo agree
touch f; m=$(stat -c %Y f); [ $((m - a)) -ge 0 ] && [ $((m - a)) -lt 30 ] && echo "files agree"
x=$EPOCHREALTIME; sleep 0.05; y=$EPOCHREALTIME; [ "${y/./}" -gt "${x/./}" ] && echo moves
