# What somebody else's state is: who computes runs, who sleeps sleeps, who is stopped is stopped, who has ended is a zombie.
state() { until s=$(cut -d ' ' -f 3 /proc/$1/stat) && [ "$s" = $2 ]; do :; done; grep ^State: /proc/$1/status; }
sh -c 'while :; do :; done' & p=$!
state $p R
kill -STOP $p; state $p T; kill -CONT $p; state $p R; kill $p; wait $p
sleep 1000 & p=$!
state $p S
kill $p
sh -c 'sleep 0 & echo $! >child; exec sleep 1000' & p=$!
until [ -s child ]; do :; done
state $(cat child) Z
kill $p
