echo a#b # comment
echo '# no' "#no" \#
: # nothing
