/*
 * Slices: parts of a zone's share of the processor, held, given, asked back and lost; and turns that are given away. Parts are counted in the machine whose
 * clock counts instructions (boots.py: microvm-counted); elsewhere the processor is not ours to divide, and only the rest is looked at.
 */
#include "work.h"

#define CPUS_MOST 8
#define WINDOW_NS 800000000ul /* a hundred and sixty slices of time */
#define TOLERANCE 20ul        /* in a thousand of the part, */
#define QUANTUM 7ul           /* or a slice of time, in thousandths of the window: parts come in whole ones */
#define FAR_NS 1000000000000ul

static uint64_t make(uint64_t zone, uint64_t weight)
{
    return (uint64_t)MUST(exo_slice_make(zone, weight));
}

static struct exo_slice_info info_of(uint64_t slice)
{
    struct exo_slice_info info = {0};

    EXPECT(exo_slice_info(slice, &info), 0);
    return info;
}

static void pass_window(void)
{
    sleep_ns(bare_asked("counted") ? WINDOW_NS : 10000000);
}

/* `used` of the window must be `part` thousandths of it. */
static void expect_part(const char *who, uint64_t used, uint64_t part)
{
    uint64_t got = used * 10000 / (WINDOW_NS / 1000) / 10000;

    if (!bare_asked("counted"))
        return;
    bare_say("# %s: %lu of a thousand, its part is %lu\n", who, got, part);
    CHECK((got * 1000 >= part * (1000 - TOLERANCE) && got * 1000 <= part * (1000 + TOLERANCE)) || (got + QUANTUM >= part && got <= part + QUANTUM));
}

CASE(slice_weights, "slices and the zone's own contexts have their weights' parts, whatever crowds are in them")
{
    uint64_t zone = work_zone(4000, EXO_ZONE_WEIGHT), two = make(zone, 200), one = make(zone, 100), used[3];
    struct child child[8];

    work_begin();
    for (unsigned i = 0; i < 8; i++)
        child[i] = work_spinner(zone, i, i == 0 ? two : i < 5 ? one : 0);
    sleep_ns(20000000);
    used[0] = info_of(two).used_ns;
    used[1] = info_of(one).used_ns;
    used[2] = work_used(&child[5]) + work_used(&child[6]) + work_used(&child[7]);
    pass_window();
    expect_part("weight 200", info_of(two).used_ns - used[0], 500);
    expect_part("weight 100", info_of(one).used_ns - used[1], 250);
    expect_part("the zone itself", work_used(&child[5]) + work_used(&child[6]) + work_used(&child[7]) - used[2], 250);
    CHECK(info_of(two).bound == 1 && info_of(one).bound == 4 && info_of(one).weight == 100);
    EXPECT(exo_slice_weight(one, 600), 0);
    used[0] = info_of(two).used_ns;
    used[1] = info_of(one).used_ns;
    pass_window();
    expect_part("weight 200 beside 600", info_of(two).used_ns - used[0], 222);
    expect_part("weight 600", info_of(one).used_ns - used[1], 667);
    for (unsigned i = 0; i < 8; i++)
        work_kill(&child[i]);
    CHECK(info_of(two).bound == 0 && info_of(one).bound == 0);
    EXPECT(exo_cap_delete(two), 0);
    EXPECT(exo_cap_delete(one), 0);
    EXPECT(exo_cap_delete(zone), 0);
    work_end();
}

CASE(slice_nested, "a slice is a part of its zone's part: slices never make a zone's share larger")
{
    uint64_t ours = work_zone(4000, EXO_ZONE_WEIGHT), theirs = work_zone(4000, EXO_ZONE_WEIGHT), slice[3], used, of_slice, below;
    const struct exo_zone_limits limits = {2000, EXO_QUOTA_NONE, EXO_QUOTA_NONE, 100};
    struct exo_zone_status status = {0};
    struct child child[4], other;

    work_begin();
    EXPECT(exo_zone_status(ours, &status), 0);
    below = (uint64_t)MUST(exo_zone_make(ours, status.label, &limits)); /* of ours: 100, 200, 100 (below), 100 (itself) */
    slice[0] = make(ours, 200);
    slice[1] = make(below, EXO_ZONE_WEIGHT_MAX); /* of below's: all but a hundredth */
    slice[2] = make(ours, 100);
    for (unsigned i = 0; i < 4; i++)
        child[i] = work_spinner(i == 1 ? below : ours, i, i < 3 ? slice[i] : 0);
    other = work_spinner(theirs, 5, 0);
    sleep_ns(20000000);
    used = work_used(&other);
    of_slice = work_used(&child[1]);
    pass_window();
    used = work_used(&other) - used;
    of_slice = work_used(&child[1]) - of_slice;
    expect_part("the other zone", used, 500);
    expect_part("a slice of a zone below", of_slice, 100);
    work_kill(&other);
    for (unsigned i = 0; i < 4; i++)
        work_kill(&child[i]);
    for (unsigned i = 0; i < 3; i++)
        EXPECT(exo_cap_delete(slice[i]), 0);
    EXPECT(exo_cap_delete(below), 0);
    EXPECT(exo_cap_delete(ours), 0);
    EXPECT(exo_cap_delete(theirs), 0);
    work_end();
}

CASE(slice_gone, "when a slice is gone its contexts have their zone's share again, and run on")
{
    uint64_t zone = work_zone(4000, EXO_ZONE_WEIGHT), slice = make(zone, 900), given, used;
    struct child bound, other;

    work_begin();
    given = (uint64_t)MUST(exo_cap_copy(SELF, 0, slice, EXO_RIGHT_SLICE, 0));
    bound = work_spinner(zone, 0, given);
    other = work_spinner(zone, 1, 0);
    sleep_ns(20000000);
    used = work_used(&bound);
    pass_window();
    expect_part("bound", work_used(&bound) - used, 900);
    EXPECT(exo_cap_revoke(slice), 0); /* the binding is no capability: the slice is there */
    EXPECT((int64_t)info_of(slice).bound, 1);
    EXPECT(exo_cap_delete(slice), 0);
    used = work_used(&bound);
    pass_window();
    expect_part("when the slice is gone", work_used(&bound) - used, 500);
    CHECK(work_moves(0) && work_moves(1));
    work_kill(&bound);
    work_kill(&other);
    EXPECT(exo_cap_delete(zone), 0);
    work_end();
}

/* ---- asking back ------------------------------------------------------------------------------------------------- */

#define LEDGER AREA(65)

/* Holds a slice and works on it. The polite one gives it back when it is asked. */
static void holder(uint64_t polite)
{
    const struct exo_ledger *ledger = (const struct exo_ledger *)LEDGER;

    if (exo_ledger_bind((const void *)LEDGER, 0) < 0 || exo_slice_bind(CHILD_SLICE, CHILD_CTX) < 0)
        child_exit(1);
    *counter(1) = 1;
    while (__atomic_load_n(&ledger->demands, __ATOMIC_SEQ_CST) == 0)
        ++*counter(0);
    if (ledger->demand[0].kind != EXO_DEMAND_CAPABILITY || ledger->demand[0].amount != CHILD_SLICE)
        child_exit(2);
    if (polite && exo_cap_delete(CHILD_SLICE) < 0)
        child_exit(3);
    *counter(1) = 2;
    while (*counter(1) == 2)
        ++*counter(0);
    if (ledger->takings != (polite ? 0 : 1))
        child_exit(4);
    if (!polite && (ledger->taken[0].kind != EXO_DEMAND_CAPABILITY || ledger->taken[0].type != EXO_TYPE_SLICE || ledger->taken[0].what != CHILD_SLICE))
        child_exit(5);
    child_exit(exo_slice_unbind(CHILD_CTX) == 0 ? 60 : 6);
}

static void wait_for(unsigned index, uint64_t value)
{
    uint64_t give_up = bare_now() + 10000000000ul;

    while (*counter(index) != value && bare_now() < give_up)
        sleep_ns(1000000);
    EXPECT((int64_t)*counter(index), (int64_t)value);
}

static void ask_back(bool polite)
{
    uint64_t zone = work_zone(4000, EXO_ZONE_WEIGHT), slice = make(zone, 900), deadline_ns = bare_now() + 100000000;
    struct child child, other;

    work_begin();
    child = work_child(zone, holder, polite);
    EXPECT(exo_alloc_all(child.env, LEDGER, 1, RW, NULL), 0);
    work_give(&child, CHILD_CTX, child.context, EXO_RIGHT_START);
    work_give(&child, CHILD_SLICE, slice, EXO_RIGHT_SLICE);
    child_start(&child);
    wait_for(1, 1);
    EXPECT((int64_t)info_of(slice).bound, 1);
    other = work_spinner(zone, 2, 0);
    EXPECT(exo_cap_ask(slice, 0, deadline_ns), 1);
    wait_for(1, 2);
    EXPECT((int64_t)info_of(slice).bound, 1); /* it still has the time: we hold the slice */
    EXPECT(exo_wait(NULL, 0, deadline_ns), -EXO_E_TIMEOUT);
    EXPECT(exo_cap_revoke(slice), 0);
    EXPECT(exo_cap_delete(slice), 0);
    CHECK(work_moves(0) && work_moves(2));
    *counter(1) = 3;
    EXPECT((int64_t)child_result(&child), 60);
    work_kill(&other);
    EXPECT(exo_cap_delete(zone), 0);
    work_end();
}

CASE(slice_asked, "a slice is asked back: who gives it and who ignores it both run on, and the ledger says what was taken")
{
    ask_back(true);
    ask_back(false);
}

/* ---- the slice ends while its context is busy with something ----------------------------------------------------- */

static void deleter(uint64_t unused)
{
    (void)unused;
    if (exo_slice_bind(CHILD_SLICE, CHILD_CTX) < 0 || exo_cap_delete(CHILD_SLICE) < 0)
        child_exit(1);
    work_spin(0);
}

static void waiter(uint64_t unused)
{
    static uint32_t word;
    const struct exo_predicate predicate = {(uint64_t)&word, 0, EXO_WAIT_WORD};

    (void)unused;
    *counter(1) = 1;
    (void)!exo_wait(&predicate, 1, bare_now() + 50000000);
    work_spin(0);
}

CASE(slice_ends_running, "a slice goes while its context runs, by its own doing; and while it waits")
{
    struct child child[2];
    uint64_t slice = make(ZONE, 50);

    work_begin();
    child[0] = work_child(ZONE, deleter, 0);
    work_give(&child[0], CHILD_CTX, child[0].context, EXO_RIGHT_START);
    EXPECT(exo_cap_move(child[0].env, CHILD_SLICE, slice), CHILD_SLICE);
    child_start(&child[0]);
    CHECK(work_moves(0));
    work_kill(&child[0]);
    slice = make(ZONE, 50);
    child[1] = work_child(ZONE, waiter, 0);
    EXPECT(exo_slice_bind(slice, child[1].context), 0);
    child_start(&child[1]);
    wait_for(1, 1);
    EXPECT(exo_cap_delete(slice), 0);
    CHECK(work_moves(0));
    work_kill(&child[1]);
    work_end();
}

CASE(slice_ends_serving, "a slice goes while its context serves, and while a server works for its context")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), of_client, of_server;
    struct child serving = {0}, client = {0};

    work_begin();
    serving = work_child(ZONE, work_serve, 0);
    client = work_child(ZONE, work_call, 0);
    work_give(&serving, CHILD_ENDPOINT, endpoint, EXO_RIGHT_RECV);
    work_give(&client, CHILD_ENDPOINT, endpoint, EXO_RIGHT_CALL);
    child_start(&serving);
    child_start(&client);
    for (unsigned i = 0; i < 40; i++) { /* at all sorts of moments */
        of_client = make(ZONE, 100);
        of_server = make(ZONE, 100);
        EXPECT(exo_slice_bind(of_client, client.context), 0);
        EXPECT(exo_slice_bind(of_server, serving.context), 0);
        sleep_ns(300000 + i * 37000);
        CHECK(info_of(of_client).serving <= 1 && info_of(of_server).serving == 0);
        EXPECT(exo_cap_delete(i % 2 ? of_client : of_server), 0);
        sleep_ns(100000 + i * 11000);
        EXPECT(exo_cap_delete(i % 2 ? of_server : of_client), 0);
    }
    CHECK(work_moves(0));
    work_kill(&client);
    work_kill(&serving);
    EXPECT(exo_cap_delete(endpoint), 0);
    work_end();
}

CASE(slice_ends_dry, "a slice goes while its context waits for gas")
{
    uint64_t slice = make(ZONE, 100), give_up = bare_now() + 10000000000ul;
    struct exo_gas_info gas = {0};
    struct child child;

    work_begin();
    child = work_child(ZONE, work_spin, 0);
    EXPECT(exo_gas_set(child.env, EXO_GAS_FIXED, 2000, 0), 0);
    EXPECT(exo_slice_bind(slice, child.context), 0);
    child_start(&child);
    while (gas.stops == 0 && bare_now() < give_up) {
        sleep_ns(1000000);
        EXPECT(exo_gas_info(child.env, &gas), 0);
    }
    EXPECT(exo_yield_to(child.context), -EXO_E_AGAIN);
    EXPECT(exo_cap_delete(slice), 0);
    EXPECT(exo_gas_set(child.env, 0, 0, 0), 0);
    CHECK(work_moves(0));
    work_kill(&child);
    work_end();
}

CASE(slice_served, "a server works on the slice of whom it works for")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), zone = work_zone(4000, EXO_ZONE_WEIGHT), slice = make(zone, 300), used;
    struct child serving, client, other;

    work_begin();
    serving = work_child(zone, work_serve, 0);
    client = work_child(zone, work_call, 0);
    work_give(&serving, CHILD_ENDPOINT, endpoint, EXO_RIGHT_RECV);
    work_give(&client, CHILD_ENDPOINT, endpoint, EXO_RIGHT_CALL);
    EXPECT(exo_slice_bind(slice, client.context), 0);
    other = work_spinner(zone, 1, 0);
    child_start(&serving);
    child_start(&client);
    sleep_ns(20000000);
    used = info_of(slice).used_ns;
    pass_window();
    expect_part("the client, served", info_of(slice).used_ns - used, 750);
    work_kill(&client);
    EXPECT((int64_t)info_of(slice).serving, 0);
    work_kill(&serving);
    work_kill(&other);
    EXPECT(exo_cap_delete(slice), 0);
    EXPECT(exo_cap_delete(zone), 0);
    EXPECT(exo_cap_delete(endpoint), 0);
    work_end();
}

/* ---- turns given away -------------------------------------------------------------------------------------------- */

static void giver(uint64_t index)
{
    for (;;) {
        if (exo_yield_to(CHILD_OTHER) == 0)
            ++*counter((unsigned)index);
    }
}

static struct child giver_to(uint64_t zone, const struct child *target, uint64_t slice)
{
    struct child child = work_child(zone, giver, 4);

    work_give(&child, CHILD_OTHER, target->context, EXO_RIGHT_START);
    if (slice)
        EXPECT(exo_slice_bind(slice, child.context), 0);
    return child;
}

/* With several processors twice as many that work, for the cases below: somebody waits for one. */
static void crowd(struct child *child, bool begin)
{
    for (unsigned i = 0; bare_info()->cpus > 1 && i < 2 * bare_info()->cpus; i++)
        if (begin)
            child[i] = work_spinner(ZONE, 8 + i, 0);
        else
            work_kill(&child[i]);
}

CASE(turn_given, "who gives his turns to another pays for them with his share, and nobody else loses")
{
    uint64_t zone = work_zone(4000, EXO_ZONE_WEIGHT), theirs = work_zone(4000, EXO_ZONE_WEIGHT), slice = make(zone, 100), used[3], whole = 1000;
    struct child child[2], gives, others[2 * CPUS_MOST];

    work_begin();
    crowd(others, true);
    child[0] = work_spinner(theirs, 0, 0); /* of another zone: who may start it may give it time */
    child[1] = work_spinner(zone, 1, 0);   /* the slice and its own zone: a quarter each */
    gives = giver_to(zone, &child[0], slice);
    child_start(&gives);
    sleep_ns(20000000);
    used[0] = work_used(&child[0]);
    used[1] = work_used(&child[1]);
    used[2] = info_of(slice).used_ns;
    pass_window();
    used[0] = work_used(&child[0]) - used[0];
    used[1] = work_used(&child[1]) - used[1];
    used[2] = info_of(slice).used_ns - used[2];
    if (bare_info()->cpus > 1) /* the crowd has the rest */
        whole = (used[0] + used[1]) * 1000 / WINDOW_NS;
    expect_part("the giver's slice", used[2], whole / 4);
    expect_part("the receiver", used[0], whole * 3 / 4);
    expect_part("the bystander", used[1], whole / 4);
    CHECK(work_moves(4));
    work_kill(&gives);
    CHECK(work_moves(0));
    work_kill(&child[0]);
    work_kill(&child[1]);
    crowd(others, false);
    EXPECT(exo_cap_delete(slice), 0);
    EXPECT(exo_cap_delete(zone), 0);
    EXPECT(exo_cap_delete(theirs), 0);
    work_end();
}

/* Whom another processor runs needs no turn. */
static void gives_once(uint64_t cpus)
{
    int64_t given;

    do
        given = exo_yield_to(CHILD_OTHER);
    while (given == -EXO_E_AGAIN && cpus > 1);
    *counter(4) = (uint64_t)given + 1;
    (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER);
}

CASE(turn_ends, "a turn that was given ends with the slice of time, though the giver sleeps or is gone")
{
    for (unsigned gone = 0; gone < 2; gone++) {
        uint64_t slice = make(ZONE, 100);
        struct child other, gives, others[2 * CPUS_MOST];

        work_begin();
        crowd(others, true);
        other = work_spinner(ZONE, 0, 0);
        gives = work_child(ZONE, gives_once, bare_info()->cpus);
        work_give(&gives, CHILD_OTHER, other.context, EXO_RIGHT_START);
        EXPECT(exo_slice_bind(slice, gives.context), 0);
        child_start(&gives);
        if (gone)
            sleep_ns(1000000);
        else
            wait_for(4, 1);
        if (gone)
            work_kill(&gives);
        sleep_ns(100000000);
        if (bare_asked("counted"))
            CHECK(info_of(slice).used_ns < 15000000);
        for (uint64_t until = bare_now() + 10000000000ul; info_of(slice).serving && bare_now() < until;)
            sleep_ns(1000000); /* the processor that has it may be one that the host does not run now */
        CHECK(info_of(slice).serving == 0 && work_moves(0));
        if (!gone)
            work_kill(&gives);
        work_kill(&other);
        crowd(others, false);
        EXPECT(exo_cap_delete(slice), 0);
        work_end();
    }
}

/* Makes environments, and looks whose gas they use. */
static void founder(uint64_t unused)
{
    (void)unused;
    for (;;) {
        struct exo_gas_info info;
        int64_t env = exo_env_create(CHILD_ZONE, 0, 0);

        if (env < 0 || exo_gas_info((uint64_t)env, &info) < 0)
            child_exit(1);
        if (info.rate != 0)
            child_exit(2);
        while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
            ;
        if (exo_cap_delete((uint64_t)env) < 0)
            child_exit(3);
        ++*counter(0);
    }
}

CASE(turn_paid, "a turn that was given is paid with the giver's gas; when that is gone, the receiver goes on with its own")
{
    struct exo_gas_info gas = {0};
    struct child other, gives, others[2 * CPUS_MOST];
    uint64_t before, amount = bare_info()->cpus > 1 ? 1000000 : 200000; /* with several it seldom finds that the other waits */

    work_begin();
    crowd(others, true);
    other = work_child(ZONE, founder, 0);
    work_give(&other, CHILD_ZONE, ZONE, EXO_RIGHT_CHARGE);
    gives = giver_to(ZONE, &other, 0);
    EXPECT(exo_gas_set(other.env, 0, 0, 0), 0);
    EXPECT(exo_gas_set(gives.env, EXO_GAS_FIXED, amount, 0), 0);
    child_start(&other);
    sleep_ns(1000000);
    child_start(&gives);
    for (uint64_t give_up = bare_now() + 60000000000ul; (gas.stops == 0 || gas.consumed < amount) && bare_now() < give_up;) {
        sleep_ns(1000000);
        EXPECT(exo_gas_info(gives.env, &gas), 0);
    }
    CHECK(gas.consumed >= amount); /* perhaps in its first turn already: a fast host does all of it in one */
    CHECK(*counter(4) < amount / (EXO_PRICE_SYSCALL + 2 * EXO_PRICE_SWITCH)); /* else it had only its own calls to pay */
    before = *counter(4);
    CHECK(work_moves(0));
    sleep_ns(50000000);
    CHECK(*counter(4) <= before + 1 && work_moves(0));
    work_kill(&gives);
    CHECK(work_moves(0));
    work_kill(&other);
    crowd(others, false);
    work_end();
}

/* ---- misuse ------------------------------------------------------------------------------------------------------ */

CASE(slice_misuse, "slices are not to be had, bound or changed without the right")
{
    uint64_t slice = make(ZONE, 1), weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, slice, EXO_RIGHTS_ALL & ~(uint64_t)EXO_RIGHT_SLICE, 0));
    uint64_t bound = (uint64_t)MUST(exo_cap_copy(SELF, 0, slice, EXO_RIGHT_SLICE, 0)), small = work_zone(6, 1), made[200];
    uint64_t no_share = (uint64_t)MUST(exo_cap_copy(SELF, 0, ZONE, EXO_RIGHTS_ALL & ~(uint64_t)EXO_RIGHT_SHARE, 0));
    uint64_t no_start = (uint64_t)MUST(exo_cap_copy(SELF, 0, CTX, EXO_RIGHTS_ALL & ~(uint64_t)EXO_RIGHT_START, 0));
    unsigned count = 0;

    EXPECT(exo_slice_make(no_share, 1), -EXO_E_RIGHTS);
    EXPECT(exo_slice_make(SELF, 1), -EXO_E_TYPE);
    EXPECT(exo_slice_make(ZONE, 0), -EXO_E_INVAL);
    EXPECT(exo_slice_make(ZONE, EXO_ZONE_WEIGHT_MAX + 1), -EXO_E_INVAL);
    EXPECT(exo_slice_make(ZONE, UINT64_MAX), -EXO_E_INVAL);
    EXPECT(exo_slice_make(ZONE, (1ul << 32) + 1), -EXO_E_INVAL);
    EXPECT(exo_slice_weight(bound, 2), -EXO_E_RIGHTS);
    EXPECT(exo_slice_weight(slice, 0), -EXO_E_INVAL);
    EXPECT(exo_slice_weight(slice, EXO_ZONE_WEIGHT_MAX + 1), -EXO_E_INVAL);
    EXPECT(exo_slice_weight(slice, 1ul << 32), -EXO_E_INVAL);
    EXPECT(exo_slice_weight(ZONE, 1), -EXO_E_TYPE);
    EXPECT(exo_slice_bind(weak, CTX), -EXO_E_RIGHTS);
    EXPECT(exo_slice_bind(slice, no_start), -EXO_E_RIGHTS);
    EXPECT(exo_slice_bind(slice, SELF), -EXO_E_TYPE);
    EXPECT(exo_slice_unbind(no_start), -EXO_E_RIGHTS);
    EXPECT(exo_slice_info(bound, made), -EXO_E_RIGHTS);
    EXPECT(exo_slice_info(slice, (void *)8), -EXO_E_FAULT);
    EXPECT(exo_slice_unbind(CTX), 0); /* it is not bound: nothing */
    EXPECT((int64_t)info_of(slice).weight, 1);
    while (count < 200 && exo_slice_make(small, 1) >= 0) /* they are charged to the zone, and go with its capability's revocation */
        count++;
    CHECK(count > 0 && count < 200);
    EXPECT(exo_slice_make(small, 1), -EXO_E_NOMEM);
    EXPECT(exo_cap_revoke(small), 0);
    EXPECT(exo_cap_delete((uint64_t)MUST(exo_slice_make(small, 1))), 0);
    for (unsigned i = 0; i < 6; i++)
        EXPECT(exo_cap_delete((const uint64_t[]){slice, weak, bound, small, no_share, no_start}[i]), 0);
}

CASE(slice_flood, "a bounded number of contexts is bound to a slice, and leaves it with its end, their own, or a zone's entering")
{
    uint64_t slice = make(ZONE, 5), other = make(ZONE, 7), zone = work_zone(2000, 100), env = (uint64_t)MUST(exo_env_create(ZONE, 0, 0));
    const struct exo_ctx_state state = {0};
    uint64_t context[EXO_SLICE_CONTEXTS + 1];

    for (unsigned i = 0; i <= EXO_SLICE_CONTEXTS; i++)
        context[i] = (uint64_t)MUST(exo_ctx_create(env, CHILD_UPAGE + i * EXO_PAGE_BYTES, &state));
    for (unsigned i = 0; i < EXO_SLICE_CONTEXTS; i++)
        EXPECT(exo_slice_bind(slice, context[i]), 0);
    EXPECT(exo_slice_bind(slice, context[EXO_SLICE_CONTEXTS]), -EXO_E_LIMIT);
    EXPECT(exo_slice_bind(slice, context[3]), 0); /* again: nothing changes */
    EXPECT((int64_t)info_of(slice).bound, EXO_SLICE_CONTEXTS);
    EXPECT(exo_slice_bind(other, context[3]), 0); /* from one to the other */
    EXPECT(exo_slice_bind(slice, context[EXO_SLICE_CONTEXTS]), 0);
    CHECK(info_of(slice).bound == EXO_SLICE_CONTEXTS && info_of(other).bound == 1);
    for (unsigned i = 0; i < 1000; i++) /* a flood of binds leaves nothing behind */
        EXPECT(exo_slice_bind(i % 2 ? slice : other, context[0]), 0);
    EXPECT(exo_slice_unbind(context[1]), 0);
    EXPECT((int64_t)info_of(slice).bound, EXO_SLICE_CONTEXTS - 1);
    EXPECT(exo_zone_enter(zone, env), -EXO_E_LIMIT); /* too many contexts */
    EXPECT(exo_cap_delete(slice), 0); /* with many bound */
    CHECK(info_of(other).bound > 0);
    bare_destroy(env);
    EXPECT((int64_t)info_of(other).bound, 0);
    for (unsigned i = 0; i <= EXO_SLICE_CONTEXTS; i++)
        EXPECT(exo_cap_delete(context[i]), 0);
    env = (uint64_t)MUST(exo_env_create(ZONE, 0, 0));
    context[0] = (uint64_t)MUST(exo_ctx_create(env, CHILD_UPAGE, &state));
    EXPECT(exo_slice_bind(other, context[0]), 0);
    EXPECT(exo_zone_enter(zone, env), 0);
    EXPECT((int64_t)info_of(other).bound, 0);
    EXPECT(exo_slice_bind(other, context[0]), 0); /* by whoever may start it, though it is of another zone now */
    bare_destroy(env);
    EXPECT((int64_t)info_of(other).bound, 0);
    EXPECT(exo_cap_delete(context[0]), 0);
    EXPECT(exo_cap_delete(other), 0);
    EXPECT(exo_cap_delete(zone), 0);
}

CASE(turn_misuse, "a turn goes to a context that is ready, and by whoever may start it")
{
    uint64_t weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, CTX, EXO_RIGHTS_ALL & ~(uint64_t)EXO_RIGHT_START, 0));
    struct child child;

    work_begin();
    child = work_child(ZONE, waiter, 0);
    EXPECT(exo_yield_to(weak), -EXO_E_RIGHTS);
    EXPECT(exo_yield_to(SELF), -EXO_E_TYPE);
    EXPECT(exo_yield_to(0), -EXO_E_BADSLOT);
    EXPECT(exo_yield_to(CTX), 0); /* to oneself */
    EXPECT(exo_yield_to(child.context), -EXO_E_AGAIN); /* stopped */
    child_start(&child);
    if (bare_asked("counted")) {
        EXPECT(exo_yield_to(child.context), 0); /* ready: it runs until it waits */
        EXPECT((int64_t)*counter(1), 1);
    } else { /* or another processor runs it, or the slice of time was over before */
        (void)!exo_yield_to(child.context);
        wait_for(1, 1);
        sleep_ns(1000000);
    }
    EXPECT(exo_yield_to(child.context), -EXO_E_AGAIN);
    CHECK(work_moves(0));
    EXPECT(exo_ctx_stop(child.context), 0);
    EXPECT(exo_yield_to(child.context), -EXO_E_AGAIN);
    work_kill(&child);
    EXPECT(exo_cap_delete(weak), 0);
    work_end();
}
