/*
 * Capabilities that are derived, given, copied, moved, deleted and taken back by environments that run concurrently, one of which is destroyed meanwhile. A
 * kernel entry is one atomic step, as in the kernel, which is not preempted; revocation and destruction take several, with everybody else
 * between. README.md says which step is which function.
 *
 * Defined on the command line: NODES, OPS (operations of an environment). LIVE: operations without end, for the property `ends`. BROKEN_*: a fault that
 * the checks must find.
 */
#ifndef NODES
#define NODES 5
#endif
#ifndef OPS
#define OPS 3
#endif
#define ENVS 3
#ifdef BROKEN_ENDED
#define TAKES(env) true
#else
#define TAKES(env) (!ended[env])
#endif
#define NONE 255
#define FREE 254 /* owner: the node is not in use */
#define GONE 253 /* owner: the capability is gone, the node stays for its children (a tombstone) */

byte owner[NODES]; /* environment, or FREE, GONE */
byte parent[NODES];
bool revoking[NODES];
short above[NODES]; /* what really was derived from what: a bit for each node that this one descends from, whatever the links say now */
bool ended[ENVS];
bool destroyed; /* environment 2: env_destroy has answered 0 */
bool busy; /* node 0 is being revoked by environment 0 */

/* Scratch of atomic steps: always 0 between them. */
byte at, found, count, low, victim, here;
bool may;

inline count_children(n)
{
    count = 0; low = NONE; at = 0;
    do
    :: at < NODES -> if :: owner[at] != FREE && parent[at] == n -> count++; low = at :: else fi; at++
    :: else -> break
    od;
    at = 0
}

inline free_node(n)
{
    owner[n] = FREE; parent[n] = NONE; revoking[n] = false; above[n] = 0;
    at = 0;
    do
    :: at < NODES -> above[at] = above[at] & ~(1 << n); at++
    :: else -> break
    od;
    at = 0
}

/* node_leave */
inline leave(n)
{
    revoking[n] = false;
    count_children(n);
    if
#ifdef BROKEN_NO_TOMBSTONE
    :: count >= 2 -> /* the children are everybody's and nobody's */
        at = 0;
        do
        :: at < NODES -> if :: owner[at] != FREE && parent[at] == n -> parent[at] = NONE :: else fi; at++
        :: else -> break
        od;
        free_node(n)
#else
    :: count >= 2 -> owner[n] = GONE
#endif
    :: count == 1 -> parent[low] = parent[n]; free_node(n)
    :: else ->
        found = parent[n];
        free_node(n);
#ifndef BROKEN_NO_SPLICE
        if
        :: found != NONE && owner[found] == GONE ->
            count_children(found);
            if :: count == 1 -> parent[low] = parent[found]; free_node(found) :: else fi
        :: else
        fi
#endif
    fi;
    count = 0; low = 0; found = 0
}

/* node_may_derive */
inline may_derive(n)
{
    may = true; at = n;
#ifndef BROKEN_NO_REFUSAL
    do
    :: at != NONE -> if :: revoking[at] -> may = false :: else fi; at = parent[at]
    :: else -> break
    od;
#endif
    at = 0
}

inline free_slot()
{
    found = 0;
    do
    :: found < NODES && owner[found] != FREE -> found++
    :: else -> break
    od
}

/* cap_derive, or with `beside` env_clone_slots: a copy for an equal */
inline derive(n, env, beside)
{
    may_derive(n);
    free_slot();
    if
    :: may && found < NODES && TAKES(env) ->
        owner[found] = env;
        if
        :: beside && parent[n] != NONE -> parent[found] = parent[n]; above[found] = above[n]
        :: else -> parent[found] = n; above[found] = above[n] | (1 << n)
        fi
    :: else /* LIMIT, NOMEM, PEER: nothing changes */
    fi;
    found = 0; may = false
}

/* cap_revoke: one piece. Takes the first node without children below n; those that are only tombstones have some. */
inline revoke_piece(n)
{
    revoking[n] = true;
    count_children(n);
    if
    :: count == 0 ->
        revoking[n] = false;
        count = 0; low = 0;
        /* It answers 0: nobody has anything that was derived from it. */
        at = 0;
        do
        :: at < NODES -> assert(!(owner[at] < ENVS && above[at] & (1 << n))); at++
        :: else -> break
        od;
        at = 0
    :: else ->
        found = low;
        do
        :: count_children(found);
           if :: count > 0 -> found = low :: else -> break fi
        od;
        assert(owner[found] < ENVS); /* a leaf is never a tombstone */
        victim = found;
        leave(victim);
        victim = 0
    fi;
    count = 0; low = 0; found = 0
}

/* A random node of the environment; NODES if it has none just now. */
inline choose(n, env)
{
    n = 0;
    do
    :: n < NODES - 1 -> n++
    :: break
    od;
    if :: owner[n] != env -> n = NODES :: else fi
}

/* No more nodes are kept than capabilities are there: what somebody is charged is bounded by what is held. */
inline check_books()
{
    at = 0; count = 0; low = 0; here = 0;
    do
    :: at < NODES ->
        if :: owner[at] == GONE -> count++ :: owner[at] < ENVS -> low++ :: else fi;
        if :: owner[at] == 2 -> here++ :: else fi;
        at++
    :: else -> break
    od;
    assert(count == 0 || count < low);
    assert(!destroyed || here == 0); /* nobody gave anything to what is gone */
    at = 0; count = 0; low = 0; here = 0
}

inline operation(n, env, other)
{
    atomic {
        choose(n, env);
        if
        :: n == NODES || ended[env] -> skip
        :: else ->
            if
            :: derive(n, env, false)
            :: derive(n, other, false)
            :: derive(n, other, true)
            :: TAKES(other) -> owner[n] = other /* cap_move */
            :: leave(n)                          /* cap_delete */
#ifndef LIVE
            :: revoke_piece(n)                   /* cap_revoke; AGAIN if it is not done: somebody may never come back to it */
#endif
            fi
        fi;
        n = 0;
        check_books()
    }
}

proctype environment(byte me; byte other)
{
    byte n = 0, left = OPS;

#ifdef LIVE
end: do
    :: operation(n, me, other)
    od
#else
    do
    :: left > 0 -> operation(n, me, other); left--
    :: break
    od
#endif
}

/* Environment 0 gives from node 0 to both others, and takes everything back. */
proctype revoker()
{
    atomic { derive(0, 1, false) }
    atomic { derive(0, 2, false) }
    do
    :: atomic { busy = true; revoke_piece(0); check_books();
                if :: !revoking[0] -> busy = false; break :: else fi }
    od
}

/* env_destroy: the environment has ended; then its capabilities go one by one. */
proctype destroyer(byte env)
{
    byte n = 0;

    ended[env] = true;
    do
    :: atomic {
           n = 0;
           do
           :: n < NODES && owner[n] != env -> n++
           :: else -> break
           od;
           if
           :: n < NODES -> leave(n); check_books(); n = 0
           :: else -> n = 0; destroyed = true; break
           fi
       }
    od
}

/* When all have stopped, whatever is left is deleted: then every node must be free. */
init
{
    byte n = 0;

    atomic {
        do
        :: n < NODES -> owner[n] = FREE; parent[n] = NONE; n++
        :: else -> break
        od;
        n = 0;
        owner[0] = 0;
        run revoker();
        run environment(1, 2);
        run environment(2, 1);
        run destroyer(2)
    }
#ifndef LIVE
    _nr_pr == 1;
    atomic {
        do
        :: n < NODES ->
            if :: owner[n] < ENVS -> leave(n); n = 0 :: else -> n++ fi
        :: else -> break
        od;
        n = 0;
        do
        :: n < NODES -> assert(owner[n] == FREE); n++
        :: else -> break
        od
    }
#endif
}

/* Whatever the others do, revoking comes to an end. */
ltl ends { [](busy -> <>!busy) }
