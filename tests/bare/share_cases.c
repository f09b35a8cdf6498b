/*
 * Shares of the processor: whatever the contexts of one zone do, those of another zone have their part. Counted in work done, in a machine whose clock
 * counts instructions (boots.py: microvm-counted); elsewhere the processor is not ours to divide.
 */
#include "work.h"

#define WINDOW_NS 300000000ul /* sixty slices */
#define CROWD 12u

enum { VICTIM, OTHER, STOP };

static void napper(uint64_t unused)
{
    (void)unused;
    for (;;)
        (void)!exo_wait(NULL, 0, bare_now() + 30000);
}

static void faulter(uint64_t unused)
{
    (void)unused;
    for (;;)
        __asm__ volatile("ud2"); /* the stub steps over it */
}

/* Makes environments with a spinning context each, as fast as it can, until its zone is full; then begins anew. */
static void bomber(uint64_t unused)
{
    int64_t env[64];

    (void)unused;
    for (;;) {
        unsigned made = 0;

        while (made < 64) {
            struct exo_ctx_state state = {0};
            int64_t context;

            env[made] = exo_env_create(CHILD_ZONE, 0, 0);
            if (env[made] < 0)
                break;
            state.regs.rip = (uint64_t)work_spin;
            state.regs.rdi = OTHER;
            (void)!exo_share_all((uint64_t)env[made], 0x400000, 0x400000, 64, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_EXEC);
            (void)!exo_share_all((uint64_t)env[made], SHARED_VA, SHARED_VA, 1, EXO_SHARE_SAME | RW);
            context = exo_ctx_create((uint64_t)env[made], CHILD_UPAGE, &state);
            if (context > 0 && exo_ctx_start((uint64_t)context) == 0)
                (void)!exo_cap_delete((uint64_t)context);
            made++;
        }
        while (made-- > 0) {
            while (exo_env_destroy((uint64_t)env[made], 0) == -EXO_E_AGAIN)
                ;
            (void)!exo_cap_delete((uint64_t)env[made]);
        }
        if (*counter(STOP)) /* an environment that nobody holds any more would run for ever */
            child_exit(0);
    }
}

static struct child add(uint64_t zone, void (*function)(uint64_t), uint64_t argument, uint64_t endpoint, uint64_t rights)
{
    struct child child = work_child(zone, function, argument);

    work_give(&child, CHILD_ZONE, zone, EXO_RIGHT_CHARGE);
    work_give(&child, CHILD_ENDPOINT, endpoint, rights);
    child_start(&child);
    return child;
}

/* What the counter gains in a window. */
static uint64_t work_of(unsigned index)
{
    uint64_t from;

    sleep_ns(20000000); /* all have begun */
    from = *counter(index);
    sleep_ns(WINDOW_NS);
    return *counter(index) - from;
}

struct contest {
    void (*attacker)(uint64_t);
    unsigned attackers;
    void (*victim)(uint64_t);
    uint64_t weight; /* of the victim's zone */
    uint64_t part;   /* percent of the processor that is its part, */
    uint64_t least;  /* and percent of that part that it must get */
};

static void beside(const struct contest *contest)
{
    uint64_t ours = work_zone(4000, contest->weight), theirs = work_zone(4000, EXO_ZONE_WEIGHT), service = work_zone(4000, EXO_ZONE_WEIGHT);
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), alone, crowded;
    struct child child[CROWD], serving, us;

    work_begin();
    serving = add(service, work_serve, 0, endpoint, EXO_RIGHT_RECV);
    us = add(ours, contest->victim, VICTIM, endpoint, EXO_RIGHT_CALL);
    alone = work_of(VICTIM);
    for (unsigned i = 0; i < contest->attackers; i++)
        child[i] = add(theirs, contest->attacker, OTHER, endpoint, EXO_RIGHT_CALL);
    crowded = work_of(VICTIM);
    bare_say("# alone %lu, beside %u attackers %lu: %lu %% of its part\n", alone, contest->attackers, crowded,
             crowded * 10000 / contest->part / alone);
    CHECK(alone > 200);
    CHECK(crowded * 100 * 100 >= alone * contest->part * contest->least);
    *counter(STOP) = 1;
    for (unsigned i = 0; i < contest->attackers; i++)
        if (contest->attacker == bomber)
            EXPECT((int64_t)child_result(&child[i]), 0);
        else
            work_kill(&child[i]);
    work_kill(&us);
    work_kill(&serving);
    work_end();
    EXPECT(exo_cap_delete(endpoint), 0);
    EXPECT(exo_cap_delete(ours), 0);
    EXPECT(exo_cap_delete(theirs), 0);
    EXPECT(exo_cap_delete(service), 0);
}

#define SHARE_CASE(name, text, ...)                                                                                    \
    CASE(name, text)                                                                                                   \
    {                                                                                                                  \
        const struct contest contest = {__VA_ARGS__};                                                                  \
                                                                                                                       \
        if (bare_asked("counted"))                                                                                     \
            beside(&contest);                                                                                          \
    }

SHARE_CASE(share_spinner, "half of the processor beside a spinning context", work_spin, 1, work_spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_crowd, "half of it beside a crowd", work_spin, CROWD, work_spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_bomb, "half of it beside fork bombs", bomber, 3, work_spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_calls, "half of it beside a flood of calls", work_call, CROWD, work_spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_faults, "half of it beside a flood of faults", faulter, CROWD, work_spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_weight, "three quarters with three times the weight", work_spin, CROWD, work_spin, 3 * EXO_ZONE_WEIGHT, 75, 95)
SHARE_CASE(share_served, "half of it for one whom a server serves, beside a crowd that does not use it", work_spin, CROWD, work_call, EXO_ZONE_WEIGHT,
           50, 95)
SHARE_CASE(share_served_too, "half of a server that a crowd calls, too", work_call, CROWD, work_call, EXO_ZONE_WEIGHT, 50, 95)
/* What these take from others, besides their part, is the time of interrupts and switches (CAVEATS.md). */
SHARE_CASE(share_naps, "nearly half of it beside a crowd that wakes all the time", napper, CROWD, work_spin, EXO_ZONE_WEIGHT, 50, 90)
