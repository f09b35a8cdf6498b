/*
 * Files without a name: fs frees one that nobody holds (servers/fs/orphan.c), while processes begin to hold it, let go of it and fork (libos/posix/fs/hold.c).
 * Processors put stores off: each of the three has one that the others see only later (`put_off`), unless it waits for that (a fence).
 *
 * Checked: nobody uses the file after it was freed. BROKEN_*: a fault that the checks must find. README.md says which step is which function.
 */
#define PARENT 0
#define CHILD 1

bool there = true;                 /* the inode is what it was */
bool named = true, changing;       /* as all see it: its name; the metadata's sequence counter is odd */
bool held[2], published[2], lives[2]; /* lists in process pages; the process table */
byte changes;                      /* the table's word */
bool parent_put_off;               /* the parent's store to its list, which nobody sees yet */
bool fs_put_off;                   /* fs's store to the sequence counter */

inline use() { assert(there) }

/* Stores arrive at some time. */
active proctype Memory()
{
end:
    do
    :: atomic { parent_put_off -> held[PARENT] = true; parent_put_off = false }
    :: atomic { fs_put_off -> changing = true; fs_put_off = false }
    od
}

proctype Child() /* it has a copy of its parent's list */
{
#ifdef BROKEN_COUNT_FIRST
    published[CHILD] = true;
    held[CHILD] = true;
#else
    held[CHILD] = true;
    published[CHILD] = true;
#endif
    use();
    held[CHILD] = false
}

active proctype Parent()
{
    bool good, forked;

    published[PARENT] = true;
    lives[PARENT] = true;
    if
    :: named && !changing -> skip /* the walk has found it */
    :: !named -> goto done
    fi;
#ifdef BROKEN_LOOK_FIRST
    atomic { !changing -> good = there };
    held[PARENT] = true;
#else
    parent_put_off = true; /* publish */
#ifndef BROKEN_NO_FENCE
    !parent_put_off;
#endif
    atomic { !changing -> good = there }; /* is_there */
#endif
    if
    :: !good -> goto done
    :: good
    fi;
    use();
    if
    :: true -> /* proc makes the child; the parent hears of it afterwards */
        lives[CHILD] = true;
        changes++;
        run Child()
    :: true
    fi;
    use();
    !parent_put_off;
    held[PARENT] = false;
done:
    skip
}

active proctype Fs()
{
    bool some, known;
    byte seen, tries;

    fs_put_off = true; /* fs_change_begin */
#ifndef BROKEN_NO_BEGIN
    !fs_put_off;
#endif
    named = false;
    tries = 0;
again:
    some = false;
    known = true;
    seen = changes;
    if /* the child's entry comes first */
    :: !lives[CHILD]
    :: lives[CHILD] ->
        if
        :: !published[CHILD] ->
#ifndef BROKEN_UNPUBLISHED
            known = false
#else
            skip
#endif
        :: published[CHILD] -> some = held[CHILD]
        fi
    fi;
    if :: held[PARENT] -> some = true :: else fi;
#ifndef BROKEN_ONE_LOOK
    if
    :: seen != changes && tries < 2 -> tries++; goto again
    :: seen != changes -> known = false
    :: else
    fi;
#endif
    if
    :: known && !some -> there = false
    :: else
    fi;
    !fs_put_off;
    changing = false /* fs_change_end */
}
