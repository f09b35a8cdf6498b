/* The ends of objects: long chains, abandoned environments, and many sleepers. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

CASE(chain_of_environments, "200 environments, each of which holds the last capability to the next, end one after another")
{
    uint64_t before = bare_frames_free();
    int64_t first = MUST(exo_env_create(ZONE, 0, 0));

    for (unsigned i = 0; i < 200; i++) {
        int64_t holder = MUST(exo_env_create(ZONE, 0, 0));

        MUST(exo_cap_copy((uint64_t)holder, 1, (uint64_t)first, EXO_RIGHTS_ALL, 0));
        EXPECT(exo_cap_delete((uint64_t)first), 0);
        first = holder;
    }
    EXPECT(exo_cap_delete((uint64_t)first), 0);
    bare_settle();
    EXPECT((int64_t)bare_frames_free(), (int64_t)before);
}

CASE(stack_depth, "the kernel's stack has been used, and no more than half of it (./exo size --stack says why)")
{
    struct exo_stats stats = {0};

    EXPECT(exo_stats(&stats), 0);
    for (unsigned cpu = 0; cpu < sizeof(stats.cpu_stack) / sizeof(stats.cpu_stack[0]); cpu++)
        if (cpu < bare_info()->cpus)
            CHECK(stats.cpu_stack[cpu] > 100 && stats.cpu_stack[cpu] <= 8192);
        else
            EXPECT((int64_t)stats.cpu_stack[cpu], 0);
    bare_say("# stack: %lu bytes at the deepest\n", stats.cpu_stack[0]);
}

CASE(abandoned_environment, "an environment with many pages that loses its last capability is gone soon, and all at once to nobody")
{
    uint64_t before = bare_frames_free();
    int64_t env = MUST(exo_env_create(ZONE, 0, 0));
    struct exo_stats stats, after;

    EXPECT(exo_stats(&stats), 0);
    EXPECT(exo_alloc_all((uint64_t)env, AREA(0), 3000, RW, NULL), 0);
    EXPECT(exo_cap_delete((uint64_t)env), 0);
    EXPECT(exo_stats(&after), 0);
    CHECK(after.frames_free < before); /* one piece at most was taken apart by us */
    bare_settle();
    EXPECT(exo_stats(&after), 0);
    EXPECT((int64_t)after.frames_free, (int64_t)before);
    EXPECT((int64_t)after.envs, (int64_t)stats.envs - 1);
}

CASE(abandoned_while_busy, "an abandoned environment ends also when the machine is never idle")
{
    uint64_t before = bare_frames_free(), until = bare_now() + 5000000000ul;
    int64_t env = MUST(exo_env_create(ZONE, 0, 0));

    EXPECT(exo_alloc_all((uint64_t)env, AREA(0), 3000, RW, NULL), 0);
    EXPECT(exo_cap_delete((uint64_t)env), 0);
    while (bare_info()->frames_free != before && bare_now() < until)
        ; /* no kernel call */
    EXPECT((int64_t)bare_frames_free(), (int64_t)before);
}

CASE(context_limit, "an environment has 512 contexts at most; a context that cannot be made leaves no page")
{
    int64_t env = MUST(exo_env_create(ZONE, 0, 0)), status = 0;
    struct exo_ctx_state state = {0};
    uint64_t count = 0, word = 0;

    for (; count < 600; count++) {
        status = exo_ctx_create((uint64_t)env, AREA(0) + count * PAGE, &state);
        if (status < 0)
            break;
        EXPECT(exo_cap_delete((uint64_t)status), 0);
    }
    EXPECT(status, -EXO_E_LIMIT);
    EXPECT((int64_t)count, 512);
    EXPECT(exo_mem_query((uint64_t)env, AREA(0) + count * PAGE, 1, &word), 1);
    EXPECT((int64_t)word, 0);
    bare_destroy((uint64_t)env);
}

/* ---- sleepers and deadlines ---- */

#define SLEEPERS 60u
#define STACK(n) (0x210000000000ul + (uint64_t)(n) * PAGE)
#define SHARED AREA(64)

/* In the shared page: words to sleep on; then who woke, in order, and how. */
struct sleep_page {
    uint32_t words[8];
    uint32_t woken;
    uint32_t ready;
    uint8_t order[SLEEPERS];
    int8_t how[SLEEPERS];
};

static void note(struct sleep_page *page, uint64_t number, int64_t how)
{
    uint32_t at = __atomic_fetch_add(&page->woken, 1, __ATOMIC_SEQ_CST);

    page->order[at] = (uint8_t)number;
    page->how[at] = (int8_t)how;
    for (;;)
        (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER);
}

static void sleep_on_word(uint64_t number)
{
    struct sleep_page *page = (struct sleep_page *)SHARED;
    struct exo_predicate predicates[2] = {{(uint64_t)&page->words[number % 4], 0, EXO_WAIT_WORD},
                                          {(uint64_t)&page->words[4 + number % 3], 0, EXO_WAIT_WORD}};

    __atomic_fetch_add(&page->ready, 1, __ATOMIC_SEQ_CST);
    note(page, number, exo_wait(predicates, 2, EXO_DEADLINE_NEVER));
}

static void sleep_until(uint64_t number)
{
    struct sleep_page *page = (struct sleep_page *)SHARED;
    int64_t status;
    uint64_t base;

    __atomic_fetch_add(&page->ready, 1, __ATOMIC_SEQ_CST);
    base = *(volatile uint64_t *)&page->words[0] + (number * 37 % SLEEPERS) * 3000000ul;
    status = exo_wait(NULL, 0, base);
    note(page, number, bare_now() < base ? 1 : status); /* 1: too early */
}

/* The deadlines of those that sleep until one begin lead_ns from now. */
static int64_t start_sleepers(void (*function)(uint64_t), uint64_t lead_ns)
{
    struct child child = child_new(function, 0);

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    *(volatile uint64_t *)SHARED = lead_ns ? bare_now() + lead_ns : 0;
    EXPECT(exo_share_all(child.env, SHARED, SHARED, 1, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_share_all(child.env, (uint64_t)bare_info(), (uint64_t)bare_info(), 1, EXO_SHARE_SAME | EXO_PROT_READ), 0);
    EXPECT(exo_alloc_all(child.env, STACK(0), SLEEPERS, RW, NULL), 0);
    for (uint64_t i = 0; i < SLEEPERS; i++) {
        struct exo_ctx_state state = {.regs = {.rip = (uint64_t)function, .rdi = i, .rsp = STACK(i + 1) - 8}};
        int64_t context = MUST(exo_ctx_create(child.env, CHILD_UPAGE + (i + 1) * PAGE, &state));

        EXPECT(exo_ctx_start((uint64_t)context), 0);
        EXPECT(exo_cap_delete((uint64_t)context), 0);
        if (function == sleep_on_word)
            bare_settle(); /* asleep before the next one */
    }
    EXPECT(exo_cap_delete(child.context), 0);
    EXPECT(exo_cap_delete(child.death), 0);
    return (int64_t)child.env;
}

static void until(volatile uint32_t *word, uint32_t wanted)
{
    uint64_t limit = bare_now() + 10000000000ul;

    while (*word < wanted && bare_now() < limit)
        bare_settle();
    EXPECT(*word, wanted);
}

CASE(many_sleepers, "60 sleepers on two words each: a wake finds those of its word, in order, and nobody else")
{
    volatile struct sleep_page *page = (volatile struct sleep_page *)SHARED;
    int64_t env = start_sleepers(sleep_on_word, 0);

    until(&page->ready, SLEEPERS);
    EXPECT(exo_wake((void *)&page->words[7], 100), 0);
    for (uint32_t i = 0; i < 6; i++) { /* 1 5 9, then of 1 4 7 10 13 the first three that still sleep */
        static const uint8_t wanted[6] = {1, 5, 9, 4, 7, 10};

        EXPECT(exo_wake((void *)&page->words[i < 3 ? 1 : 5], 1), 1);
        until(&page->woken, i + 1);
        CHECK(page->order[i] == wanted[i] && page->how[i] == (int8_t)(i / 3));
    }
    EXPECT(exo_wake((void *)&page->words[5], 1000), 16); /* of 20 four are awake */
    EXPECT(exo_wake((void *)&page->words[1], 1000), 8);  /* 21 33 45 57 have been woken by the other word */
    until(&page->woken, 30);
    bare_destroy((uint64_t)env);
    EXPECT(exo_wake((void *)&page->words[0], 1000), 0);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

/* Sleepers that are all asleep before the first deadline: on a machine that is too slow for that, later deadlines. */
static int64_t sleepers_in_time(void)
{
    volatile struct sleep_page *page = (volatile struct sleep_page *)SHARED;

    for (uint64_t lead_ns = 30000000;; lead_ns *= 2) {
        int64_t env = start_sleepers(sleep_until, lead_ns);
        uint64_t first = *(volatile uint64_t *)SHARED;

        until(&page->ready, SLEEPERS);
        if (bare_now() + lead_ns / 2 < first || lead_ns > 5000000000ul)
            return env;
        bare_destroy((uint64_t)env);
        EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
    }
}

CASE(many_deadlines, "60 deadlines pass in their order, also when some of them are taken back")
{
    volatile struct sleep_page *page = (volatile struct sleep_page *)SHARED;
    int64_t env = sleepers_in_time();
    unsigned overtaken = 0;

    until(&page->woken, SLEEPERS);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        CHECK(page->how[i] == -EXO_E_TIMEOUT);
        overtaken += i > 0 && page->order[i] * 37u % SLEEPERS < page->order[i - 1] * 37u % SLEEPERS;
    }
    /* One whose slice ends after it woke and before it could note that is overtaken, and on several processors who wakes on one that the host has stopped;
     * any other order has about 30. */
    CHECK(overtaken <= 5 || bare_info()->cpus > 1);
    bare_destroy((uint64_t)env);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
    env = sleepers_in_time(); /* destroyed while they sleep */
    bare_destroy((uint64_t)env);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}
