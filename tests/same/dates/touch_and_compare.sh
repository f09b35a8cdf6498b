touch -d @1000000000 a; touch -d @1000000001 b; [ b -nt a ] && echo newer; TZ=EST5EDT stat -c %y a; TZ=UTC0 stat -c %y a
touch -d '1969-12-31 23:59:59' old; stat -c %Y old; touch -d @4102444800 future; stat -c '%Y %y' future
