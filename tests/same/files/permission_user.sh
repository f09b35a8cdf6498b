# shell: zsh
# needs: root
# As another user: reading, writing, executing and entering are refused.
print secret >f; chmod 600 f; print open >g; chmod 644 g; mkdir d p; chmod 700 d; touch d/x; chmod 777 p
print hi >p/mine; chmod 755 .
(
    EUID=1000
    print "now $EUID"
    cat f; print $?
    cat g; print $?
    print x >g; print $?
    cd d; print $?
    cat d/x; print $?
    touch p/new && print made
    stat -c %u p/new
    rm -f p/mine && print "removed in a writable folder"
    chmod 644 f; print $?
    chown 1000 f; print $?
) 2>&1
