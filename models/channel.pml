/*
 * Sleeping and waking of channels (libexo/channel.c, libexo/include/exo/channel.h): SENDERS senders with a ring of SLOTS slots each, and one receiver that
 * picks among them. Every step between two semicolons may be followed by anybody's; an `atomic` is one instruction, or one kernel entry. models/README.md
 * says what stands for what. A state in which somebody sleeps for ever is an invalid end state.
 */
#ifndef SENDERS
#define SENDERS 1
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef MESSAGES
#define MESSAGES 3
#endif
#define RECEIVER SENDERS

byte tail[SENDERS], head[SENDERS];
bit sender_sleeps[SENDERS], receiver_sleeps[SENDERS]; /* the flags in the rings */
bool asleep[SENDERS + 1];                             /* in the kernel, on the words of one's flags */
byte taken[SENDERS];
byte slot[SENDERS * SLOTS];

/* exo_channel_wake: a load, an exchange, and exo_wake. */
inline wake(flag, whom)
{
    if
    :: flag ->
        atomic { was = flag; flag = 0 };
        if
        :: was -> asleep[whom] = false
        :: else
        fi
    :: else
    fi;
    was = 0
}

proctype sender(byte me)
{
    byte at = 0, seen = 0;
    bit was = 0, saw = 0;

    do
    :: at == MESSAGES -> break
    :: else ->
        seen = head[me];
        do
        :: at - seen < SLOTS -> break
        :: else ->
            sender_sleeps[me] = 1;
#ifndef BROKEN_NO_LOOK
            seen = head[me];
#endif
            if
            :: at - seen == SLOTS ->
                atomic {
                    if
                    :: sender_sleeps[me] -> asleep[me] = true
                    :: else
                    fi
                };
                !asleep[me]
            :: else
            fi;
            sender_sleeps[me] = 0;
            seen = head[me]
        od;
        slot[me * SLOTS + at % SLOTS] = at + 1;
#ifdef BROKEN_ORDER /* the load of the flag overtakes the store of the position */
        saw = receiver_sleeps[me];
        tail[me] = at + 1;
        if
        :: saw -> wake(receiver_sleeps[me], RECEIVER)
        :: else
        fi;
        saw = 0;
#else
        tail[me] = at + 1;
        wake(receiver_sleeps[me], RECEIVER);
#endif
        at++
    od
}

/* Some lane has something: `lane`; or none: SENDERS. */
inline look()
{
    lane = 0;
    do
    :: lane == SENDERS || tail[lane] != taken[lane] -> break
    :: else -> lane++
    od
}

proctype receiver()
{
    byte lane = 0, left = SENDERS * MESSAGES;
    bit was = 0;

    do
    :: left == 0 -> break
    :: else ->
        look();
        do
        :: lane < SENDERS -> break
        :: else ->
            receiver_sleeps[0] = 1;
#if SENDERS > 1
            receiver_sleeps[1] = 1;
#endif
#ifndef BROKEN_NO_LOOK
            look();
#endif
            if
            :: lane == SENDERS ->
#ifdef BROKEN_TWO_STEPS /* a kernel that looks at the words first, and puts the sleeper to sleep later */
                if
                :: receiver_sleeps[0] -> skip; asleep[RECEIVER] = true
                :: else
                fi;
#else
                atomic {
                    if
#ifdef BROKEN_POSITION /* sleeping on the position, as long as it is what was seen */
                    :: tail[0] == taken[0] -> asleep[RECEIVER] = true
#elif SENDERS > 1
                    :: receiver_sleeps[0] && receiver_sleeps[1] -> asleep[RECEIVER] = true
#else
                    :: receiver_sleeps[0] -> asleep[RECEIVER] = true
#endif
                    :: else
                    fi
                };
#endif
                !asleep[RECEIVER]
            :: else
            fi;
            receiver_sleeps[0] = 0;
#if SENDERS > 1
            receiver_sleeps[1] = 0;
#endif
            look()
        od;
        assert(slot[lane * SLOTS + taken[lane] % SLOTS] == taken[lane] + 1); /* whole, in order, each once */
        taken[lane]++;
        head[lane] = taken[lane];
        wake(sender_sleeps[lane], lane);
        left--
    od
}

init
{
    atomic {
        run sender(0);
#if SENDERS > 1
        run sender(1);
#endif
        run receiver()
    }
}
