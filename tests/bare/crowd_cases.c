/* Crowds: more contexts than the kernel wakes at one entry wait for the same thing, and all of them hear of it. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED AREA(64)
#define STACK(n) (0x210000000000ul + (uint64_t)(n) * PAGE)
#define PAGE EXO_PAGE_BYTES
#define ENVIRONMENTS 3u
#define EACH 500u
#define ALL (ENVIRONMENTS * EACH)
_Static_assert(ALL > EXO_WAKE_MOST, "more than are woken at once");

struct crowd_page {
    uint32_t word;
    uint32_t ready, woken; /* contexts */
    int32_t result;        /* what they should hear */
    uint32_t others;       /* who heard something else */
};

struct crowd {
    uint64_t env[ENVIRONMENTS];
};

_Noreturn static void heard(int64_t result)
{
    struct crowd_page *page = (struct crowd_page *)SHARED;

    if (result != page->result)
        __atomic_fetch_add(&page->others, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&page->woken, 1, __ATOMIC_SEQ_CST);
    for (;;)
        (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER);
}

static void is_ready(void)
{
    __atomic_fetch_add(&((struct crowd_page *)SHARED)->ready, 1, __ATOMIC_SEQ_CST);
}

static void sleep_on_word(uint64_t value)
{
    struct exo_predicate predicate = {SHARED, (uint32_t)value, EXO_WAIT_WORD};

    is_ready();
    heard(exo_wait(&predicate, 1, EXO_DEADLINE_NEVER));
}

static void sleep_while_below(uint64_t value)
{
    struct exo_predicate predicate = {SHARED, (uint32_t)value, EXO_WAIT_BELOW};

    is_ready();
    heard(exo_wait(&predicate, 1, EXO_DEADLINE_NEVER));
}

static void sleep_on_endpoint(uint64_t endpoint)
{
    struct exo_predicate predicates[2] = {{SHARED, 0, EXO_WAIT_WORD}, {endpoint, 0, EXO_WAIT_ENDPOINT}};

    is_ready();
    heard(exo_wait(predicates, 2, EXO_DEADLINE_NEVER));
}

static void call(uint64_t endpoint)
{
    struct exo_message message = {0};

    is_ready();
    heard(exo_ep_call(endpoint, &message));
}

static void start_some(uint64_t env, void (*function)(uint64_t), uint64_t argument)
{
    EXPECT(exo_share_all(env, SHARED, SHARED, 1, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_alloc_all(env, STACK(0), EACH, RW, NULL), 0);
    for (uint64_t i = 0; i < EACH; i++) {
        struct exo_ctx_state state = {.regs = {.rip = (uint64_t)function, .rdi = argument, .rsp = STACK(i + 1) - 8}};
        int64_t context = MUST(exo_ctx_create(env, CHILD_UPAGE + (i + 1) * PAGE, &state));

        EXPECT(exo_ctx_start((uint64_t)context), 0);
        EXPECT(exo_cap_delete((uint64_t)context), 0);
    }
}

/* Each calls function(argument); what is in the slot of `handle` (0: nothing) they have, too. They shall hear `result`. */
static struct crowd crowd_new(void (*function)(uint64_t), uint64_t argument, uint64_t handle, int32_t result)
{
    volatile struct crowd_page *page = (volatile struct crowd_page *)SHARED;
    uint64_t limit = bare_now() + 60000000000ul;
    struct crowd crowd;

    page->ready = page->woken = page->others = 0;
    page->result = result;
    for (unsigned i = 0; i < ENVIRONMENTS; i++) {
        struct child child = child_new(function, 0);

        if (handle)
            EXPECT(exo_env_clone_slots(child.env, handle & 0xffff, 1), 1);
        EXPECT(exo_cap_delete(child.context), 0);
        EXPECT(exo_cap_delete(child.death), 0);
        start_some(child.env, function, argument);
        crowd.env[i] = child.env;
    }
    while (page->ready < ALL && bare_now() < limit)
        bare_settle();
    bare_settle(); /* who is ready sleeps soon */
    EXPECT(page->ready, ALL);
    EXPECT(page->woken, 0);
    return crowd;
}

static void crowd_end(const struct crowd *crowd)
{
    volatile struct crowd_page *page = (volatile struct crowd_page *)SHARED;
    uint64_t limit = bare_now() + 60000000000ul;

    while (page->woken < ALL && bare_now() < limit)
        bare_settle();
    EXPECT(page->woken, ALL);
    EXPECT(page->others, 0);
    for (unsigned i = 0; i < ENVIRONMENTS; i++)
        bare_destroy(crowd->env[i]);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

CASE(crowd_on_tally, "a tally that changes wakes all who sleep on its word, however many")
{
    struct crowd crowd;
    int64_t tally, more;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    tally = MUST(exo_tally_create((void *)SHARED));
    crowd = crowd_new(sleep_on_word, 1, 0, 0);
    more = MUST(exo_cap_derive(SELF, 0, (uint64_t)tally, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER));
    crowd_end(&crowd);
    EXPECT(exo_cap_delete((uint64_t)more), 0);
    EXPECT(exo_cap_delete((uint64_t)tally), 0);
}

CASE(crowd_on_word, "a wake for all is so many calls, and each says how many it woke")
{
    uint64_t limit = bare_now() + 60000000000ul;
    struct crowd crowd;
    int64_t woken;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    crowd = crowd_new(sleep_on_word, 0, 0, 0);
    woken = MUST(exo_wake((void *)SHARED, UINT64_MAX));
    EXPECT(woken, EXO_WAKE_MOST);
    for (; woken < ALL && bare_now() < limit; bare_settle()) /* on another processor one may only now fall asleep */
        woken += MUST(exo_wake((void *)SHARED, UINT64_MAX));
    EXPECT(woken, ALL);
    EXPECT(exo_wake((void *)SHARED, UINT64_MAX), 0);
    crowd_end(&crowd);
}

CASE(crowd_of_conditions, "a wake looks at so many conditions, and wakes who stands behind unseen; nobody is forgotten")
{
    uint64_t limit = bare_now() + 60000000000ul;
    struct crowd crowd;
    int64_t woken;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    crowd = crowd_new(sleep_while_below, 5, 0, 0);
    EXPECT(exo_wake((void *)SHARED, 1), 1); /* the one behind those */
    for (woken = 1; woken < ALL - EXO_WAIT_LOOKS && bare_now() < limit; bare_settle())
        woken += MUST(exo_wake((void *)SHARED, UINT64_MAX));
    EXPECT(woken, ALL - EXO_WAIT_LOOKS);
    EXPECT(exo_wake((void *)SHARED, UINT64_MAX), 0);
    *(volatile uint32_t *)SHARED = 5;
    for (; woken < ALL && bare_now() < limit; bare_settle())
        woken += MUST(exo_wake((void *)SHARED, UINT64_MAX));
    EXPECT(woken, ALL);
    crowd_end(&crowd);
}

CASE(crowd_on_endpoint, "a message wakes all who wait on an endpoint among other things, however many")
{
    int64_t endpoint = MUST(exo_ep_create());
    struct exo_message message;
    struct crowd crowd;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    crowd = crowd_new(sleep_on_endpoint, (uint64_t)endpoint, (uint64_t)endpoint, 1);
    EXPECT(exo_ep_notify((uint64_t)endpoint, 1), 0);
    crowd_end(&crowd);
    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, EXO_DEADLINE_NOW), 0);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

static void crowd_calls(bool keeps_one)
{
    int64_t endpoint = MUST(exo_ep_create()), caller, other;
    struct crowd crowd;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    caller = MUST(exo_cap_derive(SELF, 0, (uint64_t)endpoint, EXO_RIGHTS_ALL & ~EXO_RIGHT_RECV, 0, EXO_DEADLINE_NEVER));
    crowd = crowd_new(call, (uint64_t)caller, (uint64_t)caller, -EXO_E_PEER);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
    if (!keeps_one) /* then the callers have the last ones */
        EXPECT(exo_cap_delete((uint64_t)caller), 0);
    crowd_end(&crowd);
    other = MUST(exo_ep_create());
    if (keeps_one) {
        struct exo_message message = {0};

        EXPECT(exo_ep_call((uint64_t)caller, &message), -EXO_E_PEER);
        EXPECT(exo_cap_delete((uint64_t)caller), 0);
    }
    EXPECT(exo_cap_delete((uint64_t)other), 0);
}

CASE(crowd_of_callers, "all callers are refused when nobody can receive any more, however many")
{
    crowd_calls(true);
}

CASE(crowd_of_forgotten_callers, "so are callers of whom nobody else knows the endpoint")
{
    crowd_calls(false);
}
