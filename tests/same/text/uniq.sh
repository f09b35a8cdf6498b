printf 'a\na\nb\na\nc\nc\nc\n' >f
uniq f; uniq -c f | sed 's/^ *//'; uniq -d f; uniq -u f
sort f | uniq -c | sort -rn | head -n 1 | sed 's/^ *//'
