/*
 * What one CPU asks of another (kernel/arch/x86_64/smp.c): to forget a translation, to let go of the context that it runs, to look for work. The asker holds the
 * kernel's lock and waits for the first two to be answered; the other answers in ring 3 by an interrupt, or while it waits for the lock, and
 * not between its entry and either. It may enter by a fast call, which takes the lock only if it is free, and while it has nothing to do it polls for a moment,
 * when nobody sends it an interrupt.
 *
 * Checked: no access to a page after it was unmapped and given away; no fast call of a context that was taken away; no wake is lost. BROKEN_*: a
 * fault that the checks must find. README.md says which step is which function.
 */
#ifndef ROUNDS
#define ROUNDS 4
#endif

bool lock, polling, interrupt; /* interrupt: pending at the other CPU */
bool flush, park, look;        /* its requests */
byte unanswered;
bool mapped = true, given, translated; /* the page; the other's translation of it */
bool runs = true, ready, asleep;       /* the context: the other runs it; it waits for a CPU; the other has said that it sleeps */
bool halted, served;

inline take_lock() { atomic { !lock -> lock = true } }

inline send(request)
{
    request = true;
    if
    :: polling -> skip
    :: !polling -> interrupt = true
    fi
}

inline answer()
{
    atomic {
        if :: flush -> flush = false; translated = false; unanswered-- :: else fi;
        if :: park -> park = false; translated = false; unanswered-- :: else fi;
        look = false
    }
}

/* It answers while it waits. */
inline smp_lock()
{
    do
    :: atomic { !lock -> lock = true; break }
    :: flush || park || look -> answer()
    od
}

inline touch()
{
    atomic {
        if
        :: translated -> assert(!given)
        :: !translated && mapped -> translated = true
        :: else
        fi
    }
}

active proctype Holder()
{
    byte round;

    do
    :: round < ROUNDS ->
        round++;
        take_lock();
        if
        :: mapped -> /* unmapped, and somebody else's */
            mapped = false;
            if
            :: runs -> /* so it has the address space loaded */
                unanswered++; send(flush);
#ifndef BROKEN_NO_ANSWER
                unanswered == 0
#endif
            :: else
            fi;
            given = true
        :: !mapped -> given = false; mapped = true
        :: runs -> /* stopped, and started */
            unanswered++; send(park);
            unanswered == 0;
            runs = false; ready = true
        :: !runs && !ready -> ready = true
        fi;
        if :: ready && asleep -> asleep = false; send(look) :: else fi;
        lock = false
    :: else -> break
    od;
    timeout; /* the other can do nothing any more */
    assert(!(ready && halted))
}

active proctype Other()
{
    goto ring3;

ring3: /* it runs the context */
    if
    :: interrupt -> interrupt = false; answer(); goto enter
    :: touch(); goto ring3
    :: goto fast
    :: goto enter
    fi;

fast: /* interrupts are off from here; syscall_entry_locked */
#ifdef BROKEN_ANSWERED_FIRST
    answer();
#endif
    atomic { if :: lock -> goto enter :: else -> lock = true fi };
    assert(runs);
    lock = false;
    goto ring3;

enter:
    smp_lock();
    if
    :: runs -> /* it goes on, or sleeps in its call */
        if :: skip :: runs = false fi
    :: else
    fi;
    if
    :: runs -> lock = false; goto ring3
    :: !runs && ready -> ready = false; runs = true; lock = false; goto ring3
    :: else
    fi;

    asleep = true; /* idle, smp_poll */
    translated = false;
    lock = false;
    served = false;
    polling = true;
    do
    :: flush || park || look -> break
    :: interrupt -> interrupt = false; answer(); served = true; break
    :: break /* it was long enough */
    od;
    polling = false;
#ifndef BROKEN_NO_LOOK
    if
    :: flush || park || look -> answer(); goto woken
    :: else
    fi;
#endif
#ifndef BROKEN_NOT_SERVED
    if :: served -> goto woken :: else fi;
#endif
    halted = true;
end_halted:
    interrupt -> interrupt = false; halted = false; answer();
woken:
    smp_lock();
    asleep = false;
    lock = false;
    goto enter
}
