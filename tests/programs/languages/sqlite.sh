# sqlite3's shell: files, journals, transactions, joins, windows, JSON, full text, recovery.
sqlite3 db <<'END'
create table t(id integer primary key, name text, n real); create index i on t(name);
begin; with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000) insert into t select x, 'name' || (x * 7919 % 5003), x / 3.0 from c; commit;
select count(*), round(sum(n), 2), min(name), max(name) from t; explain query plan select * from t where name = 'name5'; select id, lag(id) over (order by id) from t limit 3;
pragma journal_mode = wal; update t set n = -1 where id % 10 = 0; select count(*) from t where n = -1; begin; delete from t; rollback; select count(*) from t; pragma integrity_check; select json_extract('{"a":[1,2]}', '$.a[1]'); create virtual table f using fts5(x); insert into f values ('some words'), ('other'); select x from f where f match 'words';
.mode csv
select id, name from t limit 2;
.tables
vacuum;
END
sqlite3 db .dump | sqlite3 copy; sqlite3 copy 'select count(*) from t'; sqlite3 db 'select bad'; echo $?; ls; (sqlite3 db 'begin exclusive; select 1;' '.system sqlite3 -cmd ".timeout 100" db "insert into t(id) values (99999)"' 'commit'); sqlite3 :memory: 'select sqlite_version(); select length(randomblob(9)), typeof(1.5), printf("%05d", 42)'
