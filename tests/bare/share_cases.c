/*
 * Shares of the processor: whatever the contexts of one zone do, those of another zone have their part. Counted in work done, in a machine whose clock
 * counts instructions (boots.py: microvm-counted); elsewhere the processor is not ours to divide.
 */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED_VA AREA(64)
#define PAGES 1ul
#define INFO_VA ((uint64_t)bare_info())
#define WINDOW_NS 300000000ul /* sixty slices */
#define CROWD 12u

enum { CHILD_ENDPOINT = 20, CHILD_ZONE = 22 };
enum { VICTIM, OTHER, STOP };

void upcall_stub(void); /* upcall_cases.c: the smallest library OS */
void syscall_stub(void);

static volatile uint64_t *counter(unsigned index)
{
    return (volatile uint64_t *)SHARED_VA + index;
}

static void spin(uint64_t index)
{
    for (;;)
        ++*counter((unsigned)index);
}

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

static void caller(uint64_t index)
{
    struct exo_message message;

    for (;;) {
        message = (struct exo_message){.word = {20000}};
        if (exo_ep_call(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        ++*counter((unsigned)index);
    }
}

static void server(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (;;) {
        if (exo_ep_reply_recv(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        for (volatile unsigned i = 0; i < message.word[0]; i++)
            ;
    }
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
            state.regs.rip = (uint64_t)spin;
            state.regs.rdi = OTHER;
            (void)!exo_share_all((uint64_t)env[made], 0x400000, 0x400000, 64, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_EXEC);
            (void)!exo_share_all((uint64_t)env[made], SHARED_VA, SHARED_VA, PAGES, EXO_SHARE_SAME | RW);
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
    struct child child = child_make(zone, function, argument, (uint64_t)syscall_stub, (uint64_t)upcall_stub);

    EXPECT(exo_share_all(child.env, SHARED_VA, SHARED_VA, PAGES, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_share_all(child.env, INFO_VA, INFO_VA, 1, EXO_SHARE_SAME | EXO_PROT_READ), 0); /* to know the time */
    EXPECT(exo_cap_copy(child.env, CHILD_ZONE, zone, EXO_RIGHT_CHARGE, 0), CHILD_ZONE);
    if (endpoint)
        EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, endpoint, rights, 0), CHILD_ENDPOINT);
    child_start(&child);
    return child;
}

static void kill(struct child *child)
{
    (void)!exo_env_destroy(child->env, 0);
    EXPECT((int64_t)(child_end(child) & 0xff), EXO_REASON_DESTROYED);
}

static uint64_t zone_with(uint64_t frames, uint64_t weight)
{
    const struct exo_zone_limits limits = {frames, EXO_QUOTA_NONE, EXO_QUOTA_NONE, weight};
    struct exo_zone_status above = {0};

    EXPECT(exo_zone_status(ZONE, &above), 0);
    return (uint64_t)MUST(exo_zone_make(ZONE, above.label, &limits));
}

/* What the counter gains in a window. */
static uint64_t work_of(unsigned index)
{
    uint64_t from;

    EXPECT(exo_wait(NULL, 0, bare_now() + 20000000), -EXO_E_TIMEOUT); /* all have begun */
    from = *counter(index);
    EXPECT(exo_wait(NULL, 0, bare_now() + WINDOW_NS), -EXO_E_TIMEOUT);
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
    uint64_t ours = zone_with(4000, contest->weight), theirs = zone_with(4000, EXO_ZONE_WEIGHT), service = zone_with(4000, EXO_ZONE_WEIGHT);
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), alone, crowded;
    struct child child[CROWD], serving, us;

    EXPECT(exo_alloc_all(SELF, SHARED_VA, PAGES, RW, NULL), 0);
    serving = add(service, server, 0, endpoint, EXO_RIGHT_RECV);
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
            kill(&child[i]);
    kill(&us);
    kill(&serving);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, PAGES), 0);
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

SHARE_CASE(share_spinner, "half of the processor beside a spinning context", spin, 1, spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_crowd, "half of it beside a crowd", spin, CROWD, spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_bomb, "half of it beside fork bombs", bomber, 3, spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_calls, "half of it beside a flood of calls", caller, CROWD, spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_faults, "half of it beside a flood of faults", faulter, CROWD, spin, EXO_ZONE_WEIGHT, 50, 95)
SHARE_CASE(share_weight, "three quarters with three times the weight", spin, CROWD, spin, 3 * EXO_ZONE_WEIGHT, 75, 95)
SHARE_CASE(share_served, "half of it for one whom a server serves, beside a crowd that does not use it", spin, CROWD, caller, EXO_ZONE_WEIGHT,
           50, 95)
/* What these take from others, besides their part, is the time of interrupts and switches (CAVEATS.md). */
SHARE_CASE(share_naps, "nearly half of it beside a crowd that wakes all the time", napper, CROWD, spin, EXO_ZONE_WEIGHT, 50, 90)
SHARE_CASE(share_served_too, "a good part of a server that a crowd calls, too", caller, CROWD, caller, EXO_ZONE_WEIGHT, 50, 65)
