/*
 * Each kind of thing that is held by capability can be asked back: the holder is told by upcall what and by when, and may give it. One that does not
 * loses exactly that, finds it in its repossession vector, and goes on.
 */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED_VA AREA(64)
#define LEDGER_VA AREA(65)
#define ROOM AREA(66)
#define BITS 0x40u
#define NOBODY 0x5f0 /* no device answers at these ports */
#define LINE 10u

enum { HELD = 30, OTHER = 31, COPIED = 32, MOVED = 33 };
enum kind { A_BLOCK, AN_ENDPOINT, A_LINE, PORTS, A_WINDOW, FOR_DMA, KINDS };
enum manner { POLITE, STUBBORN, EVASIVE };
enum { STATE, DEADLINE }; /* words of the shared page */
enum { BEGUN = 1, ANSWERED, TAKEN };

void upcall_stub(void); /* upcall_cases.c: the smallest library OS */
void syscall_stub(void);

static const uint8_t types[KINDS] = {EXO_TYPE_FRAME, EXO_TYPE_ENDPOINT, EXO_TYPE_IRQ, EXO_TYPE_PORTS, EXO_TYPE_FRAME, EXO_TYPE_DMA};

static volatile uint64_t *word(unsigned index)
{
    return (volatile uint64_t *)SHARED_VA + index;
}

static int64_t make_dma(void)
{
    int64_t frame = MUST(exo_frame_alloc(ZONE, 2)), dma = MUST(exo_dma_bind(MACHINE, (uint64_t)frame));

    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    return dma;
}

static int64_t make(enum kind kind, int64_t endpoint)
{
    switch (kind) {
    case A_BLOCK: return MUST(exo_frame_alloc(ZONE, 2));
    case AN_ENDPOINT: return MUST(exo_ep_create());
    case A_LINE: return MUST(exo_irq_bind(MACHINE, LINE, (uint64_t)endpoint, 1));
    case PORTS: return MUST(exo_ports_create(MACHINE, NOBODY, 4));
    case FOR_DMA: return make_dma();
    default: return MUST(exo_frame_device(MACHINE, 0xfeb00000, 2));
    }
}

static bool is_memory(enum kind kind)
{
    return types[kind] == EXO_TYPE_FRAME;
}

/* Through a capability of the kind: 0 or an error. */
static int64_t use(enum kind kind, uint64_t handle)
{
    struct exo_dma_info info;
    int64_t result;

    switch (kind) {
    case AN_ENDPOINT: return exo_ep_notify(handle, 1);
    case A_LINE: return exo_irq_ack(handle);
    case FOR_DMA: return exo_dma_info(handle, &info);
    case PORTS: result = exo_port_io(handle, NOBODY, EXO_PORT_READ | 1, 0); break;
    default: result = exo_frame_address(handle);
    }
    return result < 0 ? result : 0;
}

static const struct exo_ledger *ledger(void)
{
    return (const struct exo_ledger *)LEDGER_VA;
}

static bool is_mapped(uint64_t va)
{
    uint64_t about = 0;

    return exo_mem_query(SELF, va, 1, &about) == 1 && about & EXO_QUERY_PRESENT;
}

/* What the demand says must be so, or the child ends with a number that says what was not. */
static void await_demand(void)
{
    const struct exo_demand *demand = &ledger()->demand[0];

    while (!(upcall_events() & BITS)) /* by upcall: nothing is called meanwhile */
        ;
    if (ledger()->demands < 1 || demand->sequence != 1 || demand->kind != EXO_DEMAND_CAPABILITY || demand->amount != HELD)
        child_exit(10);
    if (demand->deadline_ns != *word(DEADLINE))
        child_exit(11);
}

/* Was it taken, and is it written down? */
static bool was_taken(uint64_t what, unsigned type, unsigned kind)
{
    for (uint64_t i = 0; i < ledger()->takings && i < EXO_TAKINGS_KEPT; i++)
        if (ledger()->taken[i].what == what && ledger()->taken[i].type == type && ledger()->taken[i].kind == kind)
            return true;
    return false;
}

static void check_loss(enum kind kind, enum manner manner)
{
    uint64_t handle = manner == EVASIVE ? MOVED : HELD, wanted = (manner == EVASIVE ? 2 : 1) + (is_memory(kind) ? 2 : 0);

    if (ledger()->takings != wanted || !was_taken(handle, types[kind], EXO_DEMAND_CAPABILITY))
        child_exit(12);
    if (manner == EVASIVE && !was_taken(COPIED, types[kind], EXO_DEMAND_CAPABILITY))
        child_exit(13);
    if (is_memory(kind) && (!was_taken(ROOM, EXO_TYPE_FRAME, EXO_DEMAND_MEMORY) || is_mapped(ROOM) || is_mapped(ROOM + PAGE) || is_mapped(ROOM + 8 * PAGE)))
        child_exit(14);
    if (use(kind, handle) != -EXO_E_STALE)
        child_exit(15);
}

/* Argument: kind and manner. It holds the thing, and something else of which nobody asks. */
static void holder(uint64_t argument)
{
    enum kind kind = (enum kind)(argument & 0xff);
    enum manner manner = (enum manner)(argument >> 8);

    if (exo_alloc_all(SELF, LEDGER_VA, 1, RW, NULL) < 0 || exo_ledger_bind((void *)LEDGER_VA, BITS) < 0 || use(kind, HELD) < 0)
        child_exit(1);
    if (is_memory(kind) && exo_map_all(SELF, ROOM, HELD, 0, 2, RW) < 0)
        child_exit(2);
    *word(STATE) = BEGUN;
    await_demand();
    if (manner == POLITE && (exo_cap_delete(HELD) < 0 || (is_memory(kind) && exo_unmap_all(SELF, ROOM, 2) < 0)))
        child_exit(3);
    if (manner == EVASIVE && (exo_cap_copy(SELF, COPIED, HELD, EXO_RIGHTS_ALL, 0) != COPIED || exo_cap_move(SELF, MOVED, HELD) != MOVED))
        child_exit(4);
    if (manner == EVASIVE && is_memory(kind) && exo_mem_share(SELF, ROOM + 8 * PAGE, ROOM, 1, EXO_SHARE_MOVE | RW) != 1)
        child_exit(5);
    if (manner == EVASIVE && is_memory(kind) && exo_mem_map(SELF, ROOM, MOVED, 0, 1, RW) != 1)
        child_exit(6);
    if (manner == EVASIVE && is_memory(kind) && exo_unmap_all(SELF, ROOM + 8 * PAGE, 1) < 0)
        child_exit(7);
    *word(STATE) = ANSWERED;
    while (*word(STATE) != TAKEN)
        (void)!exo_yield();
    if (manner != POLITE)
        check_loss(kind, manner);
    else if (ledger()->takings != 0)
        child_exit(16);
    child_exit(use(AN_ENDPOINT, OTHER) == 0 ? 42 : 17); /* exactly that was lost */
}

static struct child start(enum kind kind, enum manner manner, int64_t root, int64_t other)
{
    struct child child = child_make(ZONE, holder, (uint64_t)kind | (uint64_t)manner << 8, (uint64_t)syscall_stub, (uint64_t)upcall_stub);

    EXPECT(exo_alloc_all(SELF, SHARED_VA, 1, RW, NULL), 0);
    EXPECT(exo_share_all(child.env, SHARED_VA, SHARED_VA, 1, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_cap_copy(child.env, HELD, (uint64_t)root, EXO_RIGHTS_ALL, 0), HELD);
    EXPECT(exo_cap_copy(child.env, OTHER, (uint64_t)other, EXO_RIGHTS_ALL, 0), OTHER);
    *word(STATE) = 0;
    *word(DEADLINE) = bare_now() + 1000000;
    child_start(&child);
    while (*word(STATE) != BEGUN)
        (void)!exo_yield();
    return child;
}

static void ask_back(enum kind kind, enum manner manner)
{
    int64_t other = MUST(exo_ep_create()), root = make(kind, other);
    struct child child = start(kind, manner, root, other);

    EXPECT(exo_cap_ask((uint64_t)root, 0, *word(DEADLINE)), 1);
    if (manner != POLITE || bare_info()->cpus == 1) /* on another processor the polite one may have let go by now */
        EXPECT(exo_cap_ask((uint64_t)root, 0, *word(DEADLINE)), 1); /* asking again is one more demand */
    while (*word(STATE) != ANSWERED)
        (void)!exo_yield();
    if (manner == POLITE) {
        EXPECT(exo_cap_ask((uint64_t)root, 0, *word(DEADLINE)), 0); /* nobody has it */
    } else {
        while (bare_now() < *word(DEADLINE))
            (void)!exo_yield();
        EXPECT(use(kind, (uint64_t)root), 0);
    }
    EXPECT(exo_revoke_all((uint64_t)root), 0);
    EXPECT(use(kind, (uint64_t)root), 0); /* it is ours again, alone */
    *word(STATE) = TAKEN;
    EXPECT((int64_t)child_result(&child), 42);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 1), 0);
    EXPECT(exo_cap_delete((uint64_t)root), 0);
    EXPECT(exo_cap_delete((uint64_t)other), 0);
}

CASE(ask_polite, "asked back and given: blocks, endpoints, interrupts, ports, device memory, DMA windows")
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        ask_back((enum kind)kind, POLITE);
}

CASE(ask_stubborn, "asked back in vain: each kind is taken after the deadline, and nothing else; the holder knows it and goes on")
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        ask_back((enum kind)kind, STUBBORN);
}

CASE(ask_evasive, "asked back and copied, moved and mapped anew: all of it is taken")
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        ask_back((enum kind)kind, EVASIVE);
}

CASE(ask_misuse, "who did not give it cannot take it; the deadline binds whoever gave it to nothing but its word")
{
    int64_t root = MUST(exo_frame_alloc(ZONE, 1)), one = MUST(exo_cap_copy(SELF, 0, (uint64_t)root, EXO_RIGHTS_ALL, 0));
    int64_t two = MUST(exo_cap_copy(SELF, 0, (uint64_t)root, EXO_RIGHTS_ALL, 0)), below = MUST(exo_cap_copy(SELF, 0, (uint64_t)one, EXO_RIGHT_READ, 0));

    EXPECT(exo_cap_ask((uint64_t)below, 0, 0), 0); /* it has given nothing */
    EXPECT(exo_cap_ask((uint64_t)two, 0, 0), 0);
    EXPECT(exo_revoke_all((uint64_t)two), 0);
    EXPECT(exo_revoke_all((uint64_t)below), 0);
    EXPECT(use(A_BLOCK, (uint64_t)below), 0); /* neither stands above it */
    EXPECT(exo_cap_ask((uint64_t)root, 0, EXO_DEADLINE_NEVER), 2);
    EXPECT(exo_revoke_all((uint64_t)root), 0); /* the kernel keeps no deadlines for others */
    EXPECT(use(A_BLOCK, (uint64_t)one), -EXO_E_STALE);
    EXPECT(use(A_BLOCK, (uint64_t)below), -EXO_E_STALE);
    EXPECT(exo_cap_ask((uint64_t)one, 0, 0), -EXO_E_STALE);
    EXPECT(exo_cap_revoke((uint64_t)one), -EXO_E_STALE);
    EXPECT(exo_cap_delete((uint64_t)root), 0);
}
