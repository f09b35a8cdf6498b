# 100,000 rows put into a table in memory.
{
    echo 'create table t(id integer primary key, name text, n real); begin;'
    seq 100000 | awk '{ print "insert into t values (" $1 ", '\''name" $1 * 7919 % 100003 "'\'', " $1 "e-3);" }'
    echo 'commit; select count(*), sum(n) from t;'
} >rows.sql
timed sqlite3 :memory: '.read rows.sql'
