for z in UTC0 EST5EDT 'CET-1CEST,M3.5.0,M10.5.0/3' JST-9 'NST3:30NDT,M3.2.0,M11.1.0' '<+0545>-5:45'; do
    TZ=$z date -d @1700000000 '+%F %T %Z %z'; TZ=$z date -d @1720000000 '+%F %T %Z %z'
done
