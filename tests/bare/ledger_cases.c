/* Visible revocation: demands, giving, taking after the deadline, the repossession vector, and what owners do to their ledgers. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define LEDGER AREA(8)
#define CHILD_ROOM 0x10000000000ul
#define CHILD_PAGES 200ul
#define BITS 4u

static struct exo_ledger *ledger(void)
{
    return (struct exo_ledger *)LEDGER;
}

static void bind(void)
{
    EXPECT(exo_alloc_all(SELF, LEDGER, 1, RW, NULL), 0);
    EXPECT(exo_ledger_bind((void *)LEDGER, 0), 0);
}

static void unbind(void)
{
    EXPECT(exo_unmap_all(SELF, LEDGER, 1), 0);
    EXPECT(exo_alloc_all(SELF, LEDGER, 1, RW, NULL), 0);
    EXPECT(exo_ledger_bind((void *)LEDGER, 0), 0); /* one stays bound: the cases end as they began */
    EXPECT(exo_unmap_all(SELF, LEDGER, 1), 0);
}

/* An environment with nothing but memory: it cannot answer, so it ignores everything. */
static int64_t dumb(void)
{
    int64_t env = MUST(exo_env_create(ZONE, 0, 0));

    EXPECT(exo_alloc_all((uint64_t)env, CHILD_ROOM, CHILD_PAGES, RW, NULL), 0);
    return env;
}

static void end(int64_t env)
{
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_cap_delete((uint64_t)env), 0);
}

static uint64_t mapped(int64_t env)
{
    struct exo_env_info info;

    EXPECT(exo_env_info((uint64_t)env, &info), 0);
    return info.mapped;
}

static int64_t take_all(int64_t env)
{
    int64_t taken;

    do
        taken = exo_reclaim_take((uint64_t)env, EXO_USER_TOP);
    while (taken == -EXO_E_AGAIN);
    return taken;
}

CASE(memory_taken, "who ignores a demand for memory loses just that much after the deadline")
{
    struct exo_reclaim status;
    int64_t env = dumb();

    EXPECT(exo_reclaim_ask((uint64_t)env, 150, bare_now() + 1000000000000ul), 0);
    EXPECT(exo_reclaim_ask((uint64_t)env, 1, 0), -EXO_E_BUSY);
    EXPECT(exo_reclaim_take((uint64_t)env, EXO_USER_TOP), -EXO_E_BUSY);
    EXPECT(exo_unmap_all((uint64_t)env, CHILD_ROOM, 150), 0); /* given in time, so it need not pass */
    EXPECT(exo_reclaim_status((uint64_t)env, &status), 0);
    CHECK(status.wanted == 150 && status.given == 150 && status.taken == 0);
    EXPECT(take_all(env), 0);
    EXPECT(exo_reclaim_take((uint64_t)env, EXO_USER_TOP), -EXO_E_INVAL);
    EXPECT(exo_reclaim_ask((uint64_t)env, 30, 0), 0);
    EXPECT(exo_unmap_all((uint64_t)env, CHILD_ROOM + (CHILD_PAGES - 10) * EXO_PAGE_BYTES, 10), 0);
    EXPECT(take_all(env), 20);
    EXPECT((int64_t)mapped(env), 20);
    EXPECT(exo_reclaim_status((uint64_t)env, &status), 0);
    CHECK(status.wanted == 0 && status.given == 10 && status.taken == 20 && status.takings == 20 && status.demands == 2);
    EXPECT(exo_reclaim_ask((uint64_t)env, UINT64_MAX, 0), 0); /* all there is */
    EXPECT(take_all(env), 20);
    EXPECT((int64_t)mapped(env), 0);
    EXPECT(exo_reclaim_ask((uint64_t)env, 0, 0), -EXO_E_INVAL);
    EXPECT(exo_reclaim_ask(CTX, 1, 0), -EXO_E_TYPE);
    end(env);
}

CASE(memory_bounded, "memory is taken in bounded pieces, and shared pages are left")
{
    int64_t env = dumb();

    EXPECT(exo_alloc_all(SELF, AREA(9), 10, RW, NULL), 0);
    EXPECT(exo_share_all((uint64_t)env, CHILD_ROOM - 10 * EXO_PAGE_BYTES, AREA(9), 10, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_reclaim_ask((uint64_t)env, CHILD_PAGES + 10, 0), 0);
    EXPECT(exo_reclaim_take((uint64_t)env, EXO_USER_TOP), -EXO_E_AGAIN);
    EXPECT(take_all(env), CHILD_PAGES); /* not the ten */
    EXPECT((int64_t)mapped(env), 10);
    end(env);
    EXPECT(exo_unmap_all(SELF, AREA(9), 10), 0);
}

static volatile uint64_t *shared_word(void)
{
    return (volatile uint64_t *)AREA(10);
}

/* Offers [CHILD_ROOM, + 50 pages), says so, and goes on to work with the rest; never gives anything. */
static void stubborn(uint64_t unused)
{
    struct exo_ledger *own = (struct exo_ledger *)(CHILD_ROOM + 100 * EXO_PAGE_BYTES);

    (void)unused;
    own->offer_first = CHILD_ROOM;
    own->offer_end = CHILD_ROOM + 50 * EXO_PAGE_BYTES;
    if (exo_ledger_bind(own, 0) < 0)
        child_exit(1);
    shared_word()[0] = 1;
    (void)!exo_wake((const void *)shared_word(), 1);
    while (shared_word()[1] == 0) /* until it was taken from */
        (void)!exo_yield();
    if (own->demands != 1 || own->demand[0].kind != EXO_DEMAND_MEMORY || own->demand[0].amount != 40)
        child_exit(2);
    if (own->takings != 40)
        child_exit(3);
    for (uint64_t i = 0; i < 40; i++)
        if (own->taken[i].what != CHILD_ROOM + i * EXO_PAGE_BYTES)
            child_exit(4);
    for (uint64_t page = 40; page < CHILD_PAGES; page++) /* what is left is still there */
        if (*(volatile uint64_t *)(CHILD_ROOM + page * EXO_PAGE_BYTES) == 77)
            child_exit(5);
    child_exit(50);
}

CASE(offer, "memory is taken first where its owner says, and the owner stays runnable and knows what it lost")
{
    struct child child = child_new(stubborn, 0);

    EXPECT(exo_alloc_all(SELF, AREA(10), 1, RW, NULL), 0);
    EXPECT(exo_share_all(child.env, AREA(10), AREA(10), 1, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_alloc_all(child.env, CHILD_ROOM, CHILD_PAGES, RW, NULL), 0);
    child_start(&child);
    while (shared_word()[0] == 0)
        (void)!exo_yield();
    EXPECT(exo_reclaim_ask(child.env, 40, 0), 0);
    EXPECT(take_all((int64_t)child.env), 40);
    shared_word()[1] = 1;
    EXPECT((int64_t)child_result(&child), 50);
    EXPECT(exo_unmap_all(SELF, AREA(10), 1), 0);
}

static uint64_t query(uint64_t env, uint64_t va)
{
    uint64_t word = 0;

    EXPECT(exo_mem_query(env, va, 1, &word), 1);
    return word & (EXO_QUERY_PRESENT | EXO_QUERY_TAKEN);
}

CASE(taken_is_known, "where a page was taken nobody is given zeros, nor is a child, until it is unmapped")
{
    int64_t env = dumb();
    uint64_t lost = AREA(9) + 2 * EXO_PAGE_BYTES;

    bind();
    EXPECT(exo_alloc_all(SELF, AREA(9), 4, RW, NULL), 0);
    EXPECT(exo_reclaim_ask(SELF, 2, 0), 0);
    ledger()->offer_first = AREA(9); /* an offer counts until the taking begins */
    ledger()->offer_end = AREA(9) + 4 * EXO_PAGE_BYTES;
    EXPECT(exo_unmap_all(SELF, AREA(9), 1), 0);
    EXPECT(exo_unmap_all(SELF, lost, 2), 0);
    EXPECT(exo_alloc_all(SELF, lost, 2, RW, NULL), 0);
    EXPECT(take_all(SELF), 1);
    EXPECT((int64_t)query(SELF, AREA(9)), 0); /* given, not taken */
    EXPECT((int64_t)query(SELF, AREA(9) + EXO_PAGE_BYTES), EXO_QUERY_TAKEN);
    EXPECT((int64_t)query(SELF, lost), EXO_QUERY_PRESENT);
    EXPECT(exo_mem_alloc(SELF, AREA(9) + EXO_PAGE_BYTES, 1, RW), -EXO_E_EXISTS);
    EXPECT(exo_mem_alloc(SELF, AREA(9), 3, RW), 1);
    EXPECT(exo_protect_all(SELF, AREA(9), 4, EXO_PROT_READ), 0);
    EXPECT((int64_t)query(SELF, AREA(9) + EXO_PAGE_BYTES), EXO_QUERY_TAKEN);
    EXPECT(exo_share_all((uint64_t)env, CHILD_ROOM, AREA(9), 4, EXO_SHARE_COW | RW), 0);
    EXPECT((int64_t)query((uint64_t)env, CHILD_ROOM), EXO_QUERY_PRESENT);
    EXPECT((int64_t)query((uint64_t)env, CHILD_ROOM + EXO_PAGE_BYTES), EXO_QUERY_TAKEN);
    EXPECT((int64_t)mapped(env), CHILD_PAGES - 1);
    EXPECT(exo_share_all(SELF, AREA(10), AREA(9), 4, EXO_SHARE_MOVE | RW), 0);
    EXPECT((int64_t)query(SELF, AREA(9) + EXO_PAGE_BYTES), 0);
    EXPECT((int64_t)query(SELF, AREA(10) + EXO_PAGE_BYTES), EXO_QUERY_TAKEN);
    EXPECT(exo_unmap_all(SELF, AREA(10), 4), 0);
    EXPECT((int64_t)query(SELF, AREA(10) + EXO_PAGE_BYTES), 0);
    EXPECT(exo_mem_alloc((uint64_t)env, CHILD_ROOM + EXO_PAGE_BYTES, 1, RW), -EXO_E_EXISTS);
    EXPECT(exo_unmap_all((uint64_t)env, CHILD_ROOM, 2), 0);
    EXPECT(exo_mem_alloc((uint64_t)env, CHILD_ROOM, 2, RW), 2);
    ledger()->offer_end = 0;
    unbind();
    end(env);
}

CASE(spared, "nothing is taken above the end that the taker gives, though it is offered")
{
    int64_t env = dumb();

    EXPECT(exo_reclaim_ask((uint64_t)env, 50, 0), 0);
    EXPECT(exo_reclaim_take((uint64_t)env, CHILD_ROOM), 0);
    EXPECT((int64_t)mapped(env), CHILD_PAGES);
    EXPECT(exo_reclaim_ask((uint64_t)env, 50, 0), 0);
    EXPECT(exo_reclaim_take((uint64_t)env, CHILD_ROOM + 30 * EXO_PAGE_BYTES + 8), 30);
    EXPECT((int64_t)query((uint64_t)env, CHILD_ROOM + 29 * EXO_PAGE_BYTES), EXO_QUERY_TAKEN);
    EXPECT((int64_t)query((uint64_t)env, CHILD_ROOM + 30 * EXO_PAGE_BYTES), EXO_QUERY_PRESENT);
    end(env);
}

CASE(withdrawn, "a demand that is withdrawn takes nothing, and makes room for the next")
{
    int64_t env = dumb();

    EXPECT(exo_reclaim_ask((uint64_t)env, 10, 0), 0);
    EXPECT(exo_reclaim_ask((uint64_t)env, 0, 0), 0);
    EXPECT(exo_reclaim_take((uint64_t)env, EXO_USER_TOP), -EXO_E_INVAL);
    EXPECT(exo_reclaim_ask((uint64_t)env, 0, 0), -EXO_E_INVAL);
    EXPECT((int64_t)mapped(env), CHILD_PAGES);
    EXPECT(exo_reclaim_ask((uint64_t)env, 10, 0), 0);
    EXPECT(take_all(env), 10);
    end(env);
}

CASE(capabilities_asked, "capabilities are asked for by name, and what is taken stands in the repossession vector")
{
    int64_t root = MUST(exo_ep_create()), one, two, irq, below;
    uint64_t demands, takings;

    bind();
    demands = ledger()->demands;
    takings = ledger()->takings;
    one = MUST(exo_cap_copy(SELF, 0, (uint64_t)root, EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY, 0));
    two = MUST(exo_cap_copy(SELF, 0, (uint64_t)root, EXO_RIGHT_NOTIFY, 0));
    below = MUST(exo_cap_copy(SELF, 0, (uint64_t)one, EXO_RIGHT_NOTIFY, 0));
    EXPECT(exo_cap_ask((uint64_t)root, 0, 12345), 2); /* `one` answers for what is below it */
    EXPECT((int64_t)(ledger()->demands - demands), 2);
    CHECK((int64_t)ledger()->demand[demands % EXO_DEMANDS_KEPT].amount == two);
    CHECK((int64_t)ledger()->demand[(demands + 1) % EXO_DEMANDS_KEPT].amount == one);
    CHECK(ledger()->demand[demands % EXO_DEMANDS_KEPT].deadline_ns == 12345);
    CHECK(ledger()->demand[demands % EXO_DEMANDS_KEPT].kind == EXO_DEMAND_CAPABILITY);
    EXPECT(exo_cap_ask((uint64_t)root, 1, 0), 1);
    EXPECT(exo_cap_ask((uint64_t)root, 2, 0), 0);
    EXPECT(exo_cap_ask((uint64_t)root, 5000, 0), -EXO_E_LIMIT);
    EXPECT(exo_cap_ask(0xfff0, 0, 0), -EXO_E_BADSLOT);
    EXPECT(exo_cap_delete((uint64_t)two), 0); /* given */
    EXPECT(exo_cap_revoke((uint64_t)root), 0);
    EXPECT((int64_t)(ledger()->takings - takings), 2);
    CHECK((int64_t)ledger()->taken[takings % EXO_TAKINGS_KEPT].what == below);
    CHECK((int64_t)ledger()->taken[(takings + 1) % EXO_TAKINGS_KEPT].what == one);
    CHECK(ledger()->taken[takings % EXO_TAKINGS_KEPT].type == EXO_TYPE_ENDPOINT);
    EXPECT(exo_cap_delete((uint64_t)root), 0);
    irq = MUST(exo_ports_create(MACHINE, 0x5f0, 1)); /* made by virtue of the machine's capability, so it derives from that */
    takings = ledger()->takings;
    EXPECT(exo_cap_revoke(MACHINE), 0);
    CHECK(ledger()->takings == takings + 1 && (int64_t)ledger()->taken[takings % EXO_TAKINGS_KEPT].what == irq);
    EXPECT(exo_port_io((uint64_t)irq, 0x5f0, 1, 0), -EXO_E_STALE);
    unbind();
}

CASE(ledger_misuse, "a ledger that its owner spoils, unmaps or never had")
{
    int64_t root = MUST(exo_ep_create());

    EXPECT(exo_ledger_bind((void *)(LEDGER + 8), 0), -EXO_E_ALIGN);
    EXPECT(exo_ledger_bind((void *)LEDGER, 0), -EXO_E_FAULT);
    EXPECT(exo_ledger_bind((void *)0xffffffff80100000ul, 0), -EXO_E_FAULT);
    EXPECT(exo_ledger_bind((void *)bare_info(), 0), -EXO_E_FAULT); /* read-only */
    bind();
    memset(ledger(), 0xff, sizeof(*ledger()));
    (void)MUST(exo_cap_copy(SELF, 0, (uint64_t)root, EXO_RIGHT_NOTIFY, 0));
    EXPECT(exo_cap_ask((uint64_t)root, 0, 0), 1);
    EXPECT(exo_reclaim_ask(SELF, 1, EXO_DEADLINE_NEVER), 0);
    EXPECT(exo_reclaim_take(SELF, EXO_USER_TOP), -EXO_E_BUSY);
    EXPECT(exo_alloc_all(SELF, AREA(9), 1, RW, NULL), 0);
    EXPECT(exo_unmap_all(SELF, AREA(9), 1), 0);
    EXPECT(exo_unmap_all(SELF, LEDGER, 1), 0); /* that is one page back, and the kernel writes on to what nobody sees */
    EXPECT(exo_reclaim_take(SELF, EXO_USER_TOP), 0);
    EXPECT(exo_cap_revoke((uint64_t)root), 0);
    EXPECT(exo_cap_delete((uint64_t)root), 0);
    EXPECT(exo_alloc_all(SELF, LEDGER, 1, RW, NULL), 0);
    unbind();
}
