# Runs cases one after another, the same on Linux and on ExoV6: run.py gives this text to `sh -c`.
# Standard input: a tar archive with list (a line a case: NAME SHELL), NAME.sh and, where a case reads something, NAME.in.
# Standard output: for each case a line "@case NAME STATUS BYTES-OF-STDOUT BYTES-OF-STDERR", then those bytes.
# There is no time limit in here: run.py knows the order and watches how long the next answer takes.
umask 022
rm -rf /tmp/same
mkdir -p /tmp/same && cd /tmp/same && tar -xf - || exit 98
while read -r name shell; do
    mkdir /tmp/case && cd /tmp/case || exit 97
    input=/dev/null
    [ -e /tmp/same/$name.in ] && input=/tmp/same/$name.in
    env -i PATH=/bin HOME=/tmp/case TERM=dumb LC_ALL=C TZ=UTC0 USER=root LOGNAME=root \
        $shell /tmp/same/$name.sh <$input >/tmp/same/out 2>/tmp/same/err
    status=$?
    cd /tmp/same
    rm -rf /tmp/case 2>/dev/null || { chmod -R u+rwx /tmp/case; rm -rf /tmp/case; }
    echo "@case $name $status $(wc -c <out) $(wc -c <err)"
    cat out err
    rm -f out err
done <list
