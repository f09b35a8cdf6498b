/*
 * Whether those who sleep cost those who run: a turn given away and back, and a wake and the sleep that follows, with nobody else there, and beside a
 * thousand contexts of two environments, each asleep on two words and to a deadline of its own.
 */
#include "cases.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SLEEPERS 500u /* in each of */
#define ENVS 2u
#define SHARED 0x150000000000ul  /* the words that all of an environment sleep on, a page that all have, and */
#define STACKS 0x151000000000ul  /* a page of stack for each, */
#define UPAGES 0x152000000000ul  /* and its context page */
#define PARTNER_UPAGE 0x153000000000ul

static uint32_t *word(uint64_t index)
{
    return (uint32_t *)SHARED + index;
}
#define ASLEEP 2000u /* the word that counts those who are about to sleep */

static void sleeper(uint64_t index)
{
    const struct exo_predicate predicates[] = {{(uint64_t)word(index), 0, EXO_WAIT_WORD}, {(uint64_t)word(index / 8), 0, EXO_WAIT_WORD}};

    __atomic_fetch_add(word(ASLEEP), 1, __ATOMIC_SEQ_CST);
    (void)!exo_wait(predicates, 2, (1ul << 60) + index * 1000003 % 4096);
    child_exit(1);
}

static void crowd_begin(struct child child[ENVS])
{
    EXPECT(exo_alloc_all(SELF, SHARED, 2, RW, NULL), 0);
    for (unsigned env = 0; env < ENVS; env++) {
        child[env] = child_new(sleeper, env * SLEEPERS);
        EXPECT(exo_share_all(child[env].env, SHARED, SHARED, 2, EXO_SHARE_SAME | RW), 0);
        EXPECT(exo_alloc_all(child[env].env, STACKS, SLEEPERS, RW, NULL), 0);
        for (uint64_t i = 1; i < SLEEPERS; i++) {
            struct exo_ctx_state state;
            int64_t context;

            exo_state_begin(&state, (uint64_t)sleeper, STACKS + (i + 1) * PAGE - 8, env * SLEEPERS + i);
            context = MUST(exo_ctx_create(child[env].env, UPAGES + i * PAGE, &state));
            EXPECT(exo_ctx_start((uint64_t)context), 0);
            EXPECT(exo_cap_delete((uint64_t)context), 0);
        }
        child_start(&child[env]);
    }
    for (unsigned i = 0; i < 100000 && __atomic_load_n(word(ASLEEP), __ATOMIC_SEQ_CST) < ENVS * SLEEPERS; i++)
        (void)!exo_yield();
    (void)!exo_yield(); /* the last one sleeps now */
    EXPECT(*word(ASLEEP), ENVS * SLEEPERS);
}

static void crowd_end(const struct child child[ENVS])
{
    for (unsigned env = 0; env < ENVS; env++) {
        (void)!exo_env_destroy(child[env].env, 0);
        EXPECT((int64_t)(child_end(&child[env]) & 0xff), EXO_REASON_DESTROYED);
    }
    EXPECT(exo_unmap_all(SELF, SHARED, 2), 0);
}

static uint64_t beside_crowd(uint64_t (*run)(uint64_t), uint64_t count)
{
    struct child child[ENVS];
    uint64_t ticks;

    crowd_begin(child);
    ticks = run(count);
    crowd_end(child);
    return ticks;
}

/* ---- a wake there and one back ---- */

/* Whose turn it is. In a page that no child gets a copy of: a copy on write would part the word from those who sleep on it. */
#define BALL ((uint32_t *)0x154000000000ul)

static void sleep_while(uint32_t value)
{
    while (__atomic_load_n(BALL, __ATOMIC_SEQ_CST) == value)
        (void)!exo_wait_word(BALL, value, EXO_DEADLINE_NEVER, 0, 0);
}

static void pass(uint32_t value)
{
    __atomic_store_n(BALL, value, __ATOMIC_SEQ_CST);
    (void)!exo_wake(BALL, 1);
}

static void partner(void)
{
    for (;;) {
        sleep_while(0);
        pass(0);
    }
}

uint64_t wake_turns(uint64_t count)
{
    static uint64_t stack[512], context;
    const struct exo_ctx_state state = {.regs = {.rip = (uint64_t)partner, .rsp = (uint64_t)&stack[511]}};

    if (!context) {
        EXPECT(exo_alloc_all(SELF, (uint64_t)BALL, 1, RW, NULL), 0);
        context = (uint64_t)MUST(exo_ctx_create(SELF, PARTNER_UPAGE, &state));
        EXPECT(exo_ctx_start(context), 0);
    }
    return TICKS(count, {
        pass(1);
        sleep_while(1);
    });
}

uint64_t wake_turns_crowd(uint64_t count)
{
    return beside_crowd(wake_turns, count);
}

uint64_t yield_to_crowd(uint64_t count)
{
    return beside_crowd(yield_to, count);
}
