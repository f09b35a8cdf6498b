/* Gas: what operations cost, who pays, what an empty account does to its owner and to nobody else, and how gas comes back. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED_VA AREA(64)
#define WAIT_NS 10000000000ul /* by then it must have happened */

enum { CHILD_ENDPOINT = 20, CHILD_OTHER = 21, CHILD_ZONE = 22 };

void upcall_stub(void); /* upcall_cases.c: the smallest library OS */
void syscall_stub(void);

static volatile uint64_t *shared(unsigned index)
{
    return (volatile uint64_t *)SHARED_VA + index;
}

static void begin(void)
{
    EXPECT(exo_alloc_all(SELF, SHARED_VA, 1, RW, NULL), 0);
}

static void end(void)
{
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 1), 0);
}

static struct child child_with(uint64_t zone, void (*function)(uint64_t), uint64_t argument, bool entries)
{
    struct child child = child_make(zone, function, argument, entries ? (uint64_t)syscall_stub : 0, entries ? (uint64_t)upcall_stub : 0);

    EXPECT(exo_share_all(child.env, SHARED_VA, SHARED_VA, 1, EXO_SHARE_SAME | RW), 0);
    return child;
}

static void kill(struct child *child)
{
    (void)!exo_env_destroy(child->env, 0);
    EXPECT((int64_t)(child_end(child) & 0xff), EXO_REASON_DESTROYED);
}

static void sleep_ns(uint64_t ns)
{
    EXPECT(exo_wait(NULL, 0, bare_now() + ns), -EXO_E_TIMEOUT);
}

static struct exo_gas_info gas_of(uint64_t holder)
{
    struct exo_gas_info info = {0};

    EXPECT(exo_gas_info(holder, &info), 0);
    return info;
}

/* Sleeps until the account has stopped somebody so many times. */
static struct exo_gas_info wait_for_stops(uint64_t holder, uint64_t stops)
{
    uint64_t give_up = bare_now() + WAIT_NS;
    struct exo_gas_info info = gas_of(holder);

    while (info.stops < stops && bare_now() < give_up) {
        sleep_ns(1000000);
        info = gas_of(holder);
    }
    CHECK(info.stops >= stops);
    return info;
}

/* The work counter stands still. */
static bool stands(unsigned index)
{
    uint64_t before = *shared(index);

    sleep_ns(20000000);
    return *shared(index) == before;
}

static bool moves(unsigned index)
{
    uint64_t before = *shared(index), give_up = bare_now() + WAIT_NS;

    while (*shared(index) == before && bare_now() < give_up)
        sleep_ns(1000000);
    return *shared(index) != before;
}

static void spinner(uint64_t index)
{
    for (;;)
        ++*shared((unsigned)index);
}

static void caller(uint64_t index)
{
    for (;;) {
        ++*shared((unsigned)index);
        if (exo_null() != 0)
            child_exit(1);
    }
}

static void redirected(uint64_t index)
{
    for (;;) {
        ++*shared((unsigned)index);
        if (exo_trap0(5) != 6)
            child_exit(1);
    }
}

/* Least of some tries: a timer may come in between, and charge the time until then. */
static uint64_t cost_of(void (*operation)(void))
{
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < 20; i++) {
        uint64_t before = gas_of(SELF).consumed, cost;

        operation();
        cost = gas_of(SELF).consumed - before - EXO_PRICE_SYSCALL; /* that of the second look */
        if (cost < best)
            best = cost;
    }
    return best;
}

static uint64_t endpoint;

static void nothing(void)
{
}

static void hundred_calls(void)
{
    for (unsigned i = 0; i < 100; i++)
        EXPECT(exo_null(), 0);
}

static void bad_call(void)
{
    EXPECT(exo_cap_delete(0), -EXO_E_BADSLOT);
}

static void batch_of_ten(void)
{
    static struct exo_batch_op ops[10] __attribute__((aligned(64)));

    EXPECT(exo_batch(ops, 10), 10);
}

static void notify(void)
{
    EXPECT(exo_ep_notify(endpoint, 1), 0);
}

static void write_shared(void)
{
    *(volatile char *)AREA(1) = 1;
    EXPECT(exo_share_all(SELF, AREA(2), AREA(1), 1, EXO_SHARE_COW | RW), 0);
}

CASE(gas_prices, "operations cost what the table says")
{
    endpoint = (uint64_t)MUST(exo_ep_create());
    EXPECT(exo_alloc_all(SELF, AREA(1), 1, RW, NULL), 0);
    write_shared();
    EXPECT((int64_t)cost_of(nothing), 0);
    EXPECT((int64_t)cost_of(hundred_calls), 100 * EXO_PRICE_SYSCALL);
    EXPECT((int64_t)cost_of(bad_call), EXO_PRICE_SYSCALL);
    EXPECT((int64_t)cost_of(batch_of_ten), 11 * EXO_PRICE_SYSCALL); /* each call in it, and the entry */
    EXPECT((int64_t)cost_of(notify), EXO_PRICE_SYSCALL + EXO_PRICE_IPC);
    EXPECT((int64_t)cost_of(write_shared), EXO_PRICE_SYSCALL + EXO_PRICE_FAULT);
    EXPECT(exo_unmap_all(SELF, AREA(1), 1), 0);
    EXPECT(exo_unmap_all(SELF, AREA(2), 1), 0);
    EXPECT(exo_cap_delete(endpoint), 0);
}

CASE(gas_spinner, "a spinning context stops when its account is empty, and goes on when gas comes")
{
    struct child child;
    struct exo_gas_info info;

    begin();
    child = child_with(ZONE, spinner, 0, false);
    EXPECT(exo_gas_set(child.env, EXO_GAS_FIXED, 20000, 0), 0);
    info = gas_of(child.env);
    CHECK(info.own == 1 && info.balance == 20000 && info.rate == EXO_GAS_FIXED && info.short_since_ns == 0);
    child_start(&child);
    info = wait_for_stops(child.env, 1);
    CHECK(stands(0));
    CHECK((int64_t)info.balance <= 0 && info.short_since_ns != 0);
    CHECK(info.consumed >= 20000);
    EXPECT((int64_t)(gas_of(child.env).consumed), (int64_t)info.consumed);
    EXPECT(exo_gas_grant(SELF, child.env, 30000 + info.consumed), 0); /* whatever debt the last slice left */
    CHECK(gas_of(child.env).short_since_ns == 0);
    CHECK(moves(0));
    (void)wait_for_stops(child.env, 2);
    CHECK(stands(0));
    kill(&child); /* while it waits */
    end();
}

CASE(gas_callers, "calls and redirected calls are stopped, too: no more than the account pays for")
{
    struct child kernel_calls, own_calls;

    begin();
    kernel_calls = child_with(ZONE, caller, 0, false);
    own_calls = child_with(ZONE, redirected, 1, true);
    EXPECT(exo_gas_set(kernel_calls.env, EXO_GAS_FIXED, 10000, 0), 0);
    EXPECT(exo_gas_set(own_calls.env, EXO_GAS_FIXED, 10000, 0), 0);
    child_start(&kernel_calls);
    child_start(&own_calls);
    (void)wait_for_stops(kernel_calls.env, 1);
    (void)wait_for_stops(own_calls.env, 1);
    CHECK(*shared(0) <= 10000 / EXO_PRICE_SYSCALL + 2 && *shared(1) <= 10000 / EXO_PRICE_SYSCALL + 2);
    if (bare_asked("counted")) /* elsewhere the host's own pauses count as time that was used */
        CHECK(*shared(0) > 100 && *shared(1) > 100);
    EXPECT(exo_gas_set(own_calls.env, 0, 0, 0), 0); /* the call that was under way is done right, and all that follow */
    CHECK(moves(1));
    EXPECT(exo_ctx_stop(kernel_calls.context), 0); /* stopped while it waits, and started again: it waits still */
    EXPECT(exo_ctx_start(kernel_calls.context), 0);
    CHECK(stands(0) && moves(1));
    kill(&kernel_calls);
    kill(&own_calls);
    end();
}

CASE(gas_rate, "an account with a rate uses no more than that, and is refilled without end")
{
    const uint64_t rate = 200000, burst = 5000;
    uint64_t from, elapsed;
    struct exo_gas_info info;
    struct child child;

    begin();
    child = child_with(ZONE, spinner, 0, false);
    from = bare_now();
    EXPECT(exo_gas_set(child.env, rate, burst, 0), 0);
    child_start(&child);
    info = wait_for_stops(child.env, 10);
    info = gas_of(child.env);
    elapsed = bare_now() - from;
    CHECK(info.short_since_ns != 0 && info.rate == rate && info.burst == burst);
    CHECK((int64_t)info.consumed <= (int64_t)(burst + elapsed / 1000 * rate / 1000000) - (int64_t)info.balance);
    CHECK(info.consumed > 2 * burst);
    CHECK(moves(0));
    kill(&child);
    end();
}

static void told(uint64_t unused)
{
    (void)unused;
    while (!__atomic_load_n(&((struct exo_upage *)CHILD_UPAGE)->pending, __ATOMIC_SEQ_CST))
        ++*shared(0);
    *shared(1) = ((struct exo_upage *)CHILD_UPAGE)->pending;
    for (;;)
        ++*shared(0);
}

static void told_later(uint64_t unused)
{
    ((struct exo_upage *)CHILD_UPAGE)->masked = 1;
    told(unused);
}

CASE(gas_told, "who was stopped is told by an event, and who asked for it by a notification")
{
    uint64_t ear = (uint64_t)MUST(exo_ep_create());
    struct exo_message message = {0};
    struct child child;

    begin();
    child = child_with(ZONE, told_later, 0, true);
    EXPECT(exo_gas_notify(child.env, ear, 4), -EXO_E_INVAL); /* it has no account of its own yet */
    child_start(&child);
    CHECK(moves(0)); /* so it takes no upcalls by now, however long it took to come to that */
    EXPECT(exo_gas_set(child.env, EXO_GAS_FIXED, 1000000000000, 0), 0);
    EXPECT(exo_gas_notify(child.env, ear, 4), 0);
    EXPECT(exo_gas_set(child.env, EXO_GAS_FIXED, 8000, 0), 0);
    EXPECT(exo_ep_recv(ear, &message, bare_now() + WAIT_NS), 0);
    CHECK(message.word[0] == EXO_NOTE_NOTIFY && message.word[1] == 4 && *shared(1) == 0);
    EXPECT(exo_gas_set(child.env, 0, 0, 0), 0);
    CHECK(*shared(1) != 0 || moves(1) || *shared(1) != 0); /* on another processor it has moved already, perhaps */
    EXPECT((int64_t)*shared(1), EXO_EVENT_GAS);
    EXPECT(exo_ep_recv(ear, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    kill(&child);
    EXPECT(exo_cap_delete(ear), 0);
    end();
}

CASE(gas_zones, "environments of a zone share its account: more of them have no more; accounts below it neither")
{
    uint64_t zone = (uint64_t)MUST(exo_zone_create(ZONE, 20000));
    struct exo_gas_info info;
    struct child child[4];

    begin();
    EXPECT(exo_gas_set(zone, EXO_GAS_FIXED, 30000, 0), 0);
    for (unsigned i = 0; i < 4; i++)
        child[i] = child_with(zone, spinner, i, false);
    EXPECT(exo_gas_set(child[3].env, EXO_GAS_FIXED, 1000000, 0), 0);
    EXPECT((int64_t)gas_of(child[0].env).own, 0);
    for (unsigned i = 0; i < 4; i++)
        child_start(&child[i]);
    info = wait_for_stops(zone, 4);
    for (unsigned i = 0; i < 4; i++)
        CHECK(stands(i));
    info = gas_of(zone);
    EXPECT((int64_t)(info.consumed + info.balance), 30000);
    CHECK(gas_of(child[3].env).balance > 0 && gas_of(child[3].env).stops == 0);
    EXPECT(exo_gas_grant(SELF, zone, 100000000), 0); /* all go on, one after the other */
    for (unsigned i = 0; i < 4; i++)
        CHECK(moves(i));
    for (unsigned i = 0; i < 4; i++)
        kill(&child[i]);
    EXPECT(exo_cap_delete(zone), 0);
    end();
}

static void maker(uint64_t unused)
{
    struct exo_gas_info own, made;
    int64_t env;

    (void)unused;
    env = exo_env_create(CHILD_ZONE, 0, 0);
    if (env < 0 || exo_gas_info(SELF, &own) != 0 || exo_gas_info((uint64_t)env, &made) != 0)
        child_exit(1);
    *shared(0) = made.rate;
    *shared(1) = made.own;
    child_exit(exo_gas_set((uint64_t)env, 0, 0, 0) == 0 && exo_gas_info((uint64_t)env, &made) == 0 && made.own ? 2 : 3);
}

CASE(gas_made_by, "an environment made by one with an account of its own uses that one")
{
    struct child child;

    begin();
    child = child_with(ZONE, maker, 0, false);
    EXPECT(exo_cap_copy(child.env, CHILD_ZONE, ZONE, EXO_RIGHT_CHARGE, 0), CHILD_ZONE);
    EXPECT(exo_gas_set(child.env, 1000000, 1000000, 0), 0);
    child_start(&child);
    EXPECT((int64_t)child_result(&child), 2);
    EXPECT((int64_t)*shared(0), 1000000);
    EXPECT((int64_t)*shared(1), 0);
    end();
}

#define BURN 3000000

/* Works hard for whoever calls. */
static void server(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (;;) {
        if (exo_ep_reply_recv(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        for (volatile unsigned i = 0; i < message.word[0]; i++)
            ;
        ++*shared(8);
    }
}

static void client(uint64_t index)
{
    struct exo_message message;

    for (;;) {
        message = (struct exo_message){.word = {BURN}};
        if (exo_ep_call(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        ++*shared((unsigned)index);
    }
}

static struct child client_of(uint64_t called, unsigned index)
{
    struct child child = child_with(ZONE, client, index, false);

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, called, EXO_RIGHT_CALL, 0), CHILD_ENDPOINT);
    return child;
}

CASE(gas_donation, "a server works on its client's gas; one client without gas stops neither server nor other clients")
{
    uint64_t called = (uint64_t)MUST(exo_ep_create()), of_server;
    struct child serving, poor, rich;
    struct exo_gas_info info;

    begin();
    serving = child_with(ZONE, server, 0, false);
    EXPECT(exo_cap_copy(serving.env, CHILD_ENDPOINT, called, EXO_RIGHT_RECV, 0), CHILD_ENDPOINT);
    EXPECT(exo_gas_set(serving.env, 0, 0, 0), 0); /* to see what it pays itself */
    poor = client_of(called, 0);
    rich = client_of(called, 1);
    EXPECT(exo_gas_set(poor.env, EXO_GAS_FIXED, 1000, 0), 0); /* not enough for one call's work */
    EXPECT(exo_gas_set(rich.env, 0, 0, 0), 0);
    child_start(&serving);
    sleep_ns(1000000);
    child_start(&poor);
    info = wait_for_stops(poor.env, 1);
    CHECK(*shared(8) <= 1);
    CHECK(*shared(8) == 1 || !bare_asked("counted")); /* the call was served all the same; time that the host took may have come first */
    CHECK((int64_t)info.balance <= 0 && info.consumed >= 1000);
    child_start(&rich);
    CHECK(moves(1) && moves(1) && stands(0));
    info = gas_of(rich.env);
    of_server = gas_of(serving.env).consumed;
    CHECK(info.consumed > *shared(1) * (EXO_PRICE_SYSCALL + EXO_PRICE_IPC));
    CHECK(of_server < info.consumed / 4);
    EXPECT(exo_gas_grant(SELF, poor.env, (uint64_t)(1000000000 - (int64_t)gas_of(poor.env).balance)), 0);
    CHECK(moves(0));
    kill(&poor);
    CHECK(moves(1));
    kill(&rich);
    kill(&serving);
    EXPECT(exo_cap_delete(called), 0);
    end();
}

CASE(gas_no_laundering, "a server without gas of its own does not work for a client without gas")
{
    uint64_t called = (uint64_t)MUST(exo_ep_create()), work;
    struct child serving, poor;

    begin();
    serving = child_with(ZONE, server, 0, false);
    EXPECT(exo_cap_copy(serving.env, CHILD_ENDPOINT, called, EXO_RIGHT_RECV, 0), CHILD_ENDPOINT);
    EXPECT(exo_gas_set(serving.env, EXO_GAS_FIXED, 5000, 0), 0);
    poor = client_of(called, 0);
    EXPECT(exo_gas_set(poor.env, EXO_GAS_FIXED, 5000, 0), 0);
    child_start(&serving);
    sleep_ns(1000000);
    child_start(&poor);
    /* Whichever runs dry first, both are dry in the end: each can be used up only once. */
    for (uint64_t give_up = bare_now() + WAIT_NS; bare_now() < give_up && gas_of(serving.env).stops + gas_of(poor.env).stops == 0;)
        sleep_ns(1000000);
    work = *shared(8);
    sleep_ns(50000000);
    CHECK(*shared(8) <= work + 1);
    CHECK(gas_of(serving.env).stops + gas_of(poor.env).stops > 0);
    kill(&poor);
    kill(&serving);
    EXPECT(exo_cap_delete(called), 0);
    end();
}

CASE(gas_oracle, "prices follow the oracle, which only a holder of the right sets")
{
    struct exo_gas_policy neutral = {.base = 256, .congestion_max = 256, .classes = {256, 256, 256, 256, 256, 256, 256, 256}};
    struct exo_gas_policy policy = neutral;
    uint64_t powerless = (uint64_t)MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHT_CONSOLE, 0));
    struct child child;

    begin();
    policy.base = 512;
    policy.classes[5] = 1024;
    EXPECT(exo_gas_policy(powerless, &policy), -EXO_E_RIGHTS);
    EXPECT(exo_gas_policy(MACHINE, (void *)8), -EXO_E_FAULT);
    policy.classes[7] = 0;
    EXPECT(exo_gas_policy(MACHINE, &policy), -EXO_E_INVAL);
    EXPECT(exo_gas_price(5), 256); /* nothing changed so far */
    policy.classes[7] = 256;
    EXPECT(exo_gas_policy(MACHINE, &policy), 0);
    EXPECT(exo_gas_price(0), 512);
    EXPECT(exo_gas_price(5), 2048);
    EXPECT(exo_gas_price(8), -EXO_E_INVAL);
    child = child_with(ZONE, caller, 0, false);
    EXPECT(exo_gas_set(child.env, EXO_GAS_FIXED, 16000, 5), 0);
    EXPECT((int64_t)gas_of(child.env).factor, 2048);
    child_start(&child);
    (void)wait_for_stops(child.env, 1);
    CHECK(*shared(0) <= 16000 / 8 / EXO_PRICE_SYSCALL + 2);
    EXPECT(exo_gas_policy(MACHINE, &neutral), 0);
    kill(&child);
    EXPECT(exo_cap_delete(powerless), 0);
    end();
}

CASE(gas_misuse, "gas is not to be had without the right, and not out of nothing")
{
    uint64_t zone = (uint64_t)MUST(exo_zone_create(ZONE, 100)), weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, SELF, EXO_RIGHT_INSPECT, 0));
    uint64_t blind = (uint64_t)MUST(exo_cap_copy(SELF, 0, zone, EXO_RIGHT_GAS, 0)), ear = (uint64_t)MUST(exo_ep_create());
    uint64_t one = (uint64_t)MUST(exo_env_create(zone, 0, 0)), two = (uint64_t)MUST(exo_env_create(zone, 0, 0));
    struct exo_gas_info info;

    EXPECT(exo_gas_set(weak, 0, 0, 0), -EXO_E_RIGHTS);
    EXPECT(exo_gas_grant(weak, zone, 1), -EXO_E_RIGHTS);
    EXPECT(exo_gas_notify(weak, ear, 1), -EXO_E_RIGHTS);
    EXPECT(exo_zone_weight(blind, 5), -EXO_E_RIGHTS);
    EXPECT(exo_gas_info(blind, &info), -EXO_E_RIGHTS);
    EXPECT(exo_gas_info(zone, (void *)8), -EXO_E_FAULT);
    EXPECT(exo_gas_info(CTX, &info), -EXO_E_TYPE);
    EXPECT(exo_gas_set(CTX, 0, 0, 0), -EXO_E_TYPE);
    EXPECT(exo_gas_grant(zone, CTX, 1), -EXO_E_TYPE);
    EXPECT(exo_gas_grant(CTX, zone, 1), -EXO_E_TYPE);
    EXPECT(exo_gas_notify(CTX, ear, 1), -EXO_E_TYPE);
    EXPECT(exo_gas_set(zone, EXO_GAS_RATE_MAX + 1, 1, 0), -EXO_E_INVAL);
    EXPECT(exo_gas_set(zone, 5, 0, 0), -EXO_E_INVAL);
    EXPECT(exo_gas_set(zone, 5, EXO_GAS_AMOUNT_MAX + 1, 0), -EXO_E_INVAL);
    EXPECT(exo_gas_set(zone, 5, 5, EXO_GAS_CLASSES), -EXO_E_INVAL);
    EXPECT(exo_zone_weight(ZONE, 5), -EXO_E_INVAL);
    EXPECT(exo_zone_weight(zone, 0), -EXO_E_INVAL);
    EXPECT(exo_zone_weight(zone, EXO_ZONE_WEIGHT_MAX + 1), -EXO_E_INVAL);
    EXPECT(exo_zone_weight(zone, EXO_ZONE_WEIGHT_MAX), 0);
    EXPECT((int64_t)gas_of(one).weight, EXO_ZONE_WEIGHT_MAX);
    EXPECT(exo_gas_set(one, EXO_GAS_FIXED, 100, 0), 0);
    EXPECT(exo_gas_set(two, EXO_GAS_FIXED, 10, 0), 0);
    EXPECT(exo_gas_grant(one, two, 0), -EXO_E_INVAL);
    EXPECT(exo_gas_grant(one, two, 101), -EXO_E_GAS);
    EXPECT(exo_gas_grant(one, two, EXO_GAS_AMOUNT_MAX + 1), -EXO_E_INVAL);
    EXPECT(exo_gas_grant(one, two, 60), 0);
    CHECK(gas_of(one).balance == 40 && gas_of(two).balance == 70);
    EXPECT(exo_gas_grant(one, one, 40), 0); /* to itself: nothing changes */
    CHECK(gas_of(one).balance == 40);
    EXPECT(exo_gas_notify(one, ear, 1), 0);
    EXPECT(exo_gas_notify(one, ear, 2), 0);
    EXPECT(exo_gas_notify(one, ear, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        while (exo_env_destroy(i ? one : two, 0) == -EXO_E_AGAIN)
            ;
        EXPECT(exo_cap_delete(i ? one : two), 0);
    }
    EXPECT(exo_cap_delete(zone), 0);
    EXPECT(exo_cap_delete(weak), 0);
    EXPECT(exo_cap_delete(blind), 0);
    EXPECT(exo_cap_delete(ear), 0);
}
