/*
 * What single kernel calls cost: a program that is the first environment, with nothing above the kernel. Prints a line a case, as exobench does:
 * name, ticks of the time stamp counter per operation (T(3N) - T(N)) / 2N three times over, and N. Under QEMU's -icount shift=0 a tick is an instruction.
 * What is shared with the kernel tests (children, complaints) is theirs: tests/bare/support.c and child.c.
 */
#include <exo/label.h>
#include <exo/rights.h>
#include <exo/string.h>

#include "cases.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define PLACE 0x140000000000ul
#define N 100u

void exo_main(const struct exo_startup *start);

static uint64_t frame, endpoint;

static uint64_t null_call(uint64_t count)
{
    return TICKS(count, (void)!exo_null());
}

/* Resolves a capability, looks the label up, and does next to nothing. */
static uint64_t address(uint64_t count)
{
    return TICKS(count, (void)!exo_frame_address(frame));
}

/* The kernel's check of labels and rights, in ring 3: the same functions of the same headers. The loop is taken off. */
static unsigned labels[4] = {EXO_LABEL_ROOT, EXO_LABEL_SYSTEM, EXO_LABEL_USER, EXO_LABEL_SANDBOX};
static uint64_t rights[4] = {EXO_RIGHTS_ALL, EXO_RIGHT_READ, EXO_RIGHT_CALL | EXO_RIGHT_RECV, 0};

static uint64_t empty_loop(uint64_t count)
{
    return TICKS(count, __asm__ volatile("" : : "r"(labels[i & 3]), "r"(labels[i >> 2 & 3])));
}

static uint64_t label_check(uint64_t count)
{
    return TICKS(count, __asm__ volatile("" : : "r"(exo_label_allows(labels[i & 3], labels[i >> 2 & 3], EXO_RULE_WRITE)))) - empty_loop(count);
}

static uint64_t rights_check(uint64_t count)
{
    return TICKS(count, __asm__ volatile("" : : "r"(exo_rights_dominate(rights[i & 3], rights[i >> 2 & 3])))) - empty_loop(count);
}

static uint64_t map_one(uint64_t count)
{
    uint64_t ticks;

    MUST(exo_mem_map(SELF, PLACE + 511 * PAGE, frame, 0, 1, RW)); /* the table is there */
    ticks = TICKS(count, (void)!exo_mem_map(SELF, PLACE + i * PAGE, frame, 0, 1, RW));
    MUST(exo_mem_unmap(SELF, PLACE, 512));
    return ticks;
}

static uint64_t unmap_one(uint64_t count)
{
    for (uint64_t i = 0; i < 512; i++)
        MUST(exo_mem_map(SELF, PLACE + i * PAGE, frame, 0, 1, RW));
    uint64_t ticks = TICKS(count, (void)!exo_mem_unmap(SELF, PLACE + i * PAGE, 1));
    MUST(exo_mem_unmap(SELF, PLACE, 512));
    return ticks;
}

static uint64_t protect_one(uint64_t count)
{
    uint64_t ticks;

    MUST(exo_mem_map(SELF, PLACE, frame, 0, 1, RW));
    ticks = TICKS(count, (void)!exo_mem_protect(SELF, PLACE, 1, i % 2 ? RW : EXO_PROT_READ));
    MUST(exo_mem_unmap(SELF, PLACE, 512));
    return ticks;
}

static void give_back(void)
{
    for (;;)
        (void)!exo_yield_to(CTX);
}

/* There and back: two turns given away. */
uint64_t yield_to(uint64_t count)
{
    static uint64_t stack[512], partner;
    const struct exo_ctx_state state = {.regs = {.rip = (uint64_t)give_back, .rsp = (uint64_t)&stack[511]}};
    uint64_t ticks;

    if (!partner)
        partner = (uint64_t)MUST(exo_ctx_create(SELF, PLACE + 1024 * PAGE, &state));
    EXPECT(exo_ctx_start(partner), 0);
    ticks = TICKS(count, (void)!exo_yield_to(partner));
    EXPECT(exo_ctx_stop(partner), 0);
    return ticks;
}

static uint64_t derive(uint64_t count)
{
    uint64_t ticks = TICKS(count, (void)!exo_cap_derive(SELF, 0, frame, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER));
    int64_t status;

    do
        status = exo_cap_revoke(frame);
    while (status == -EXO_E_AGAIN);
    EXPECT(status, 0);
    return ticks;
}

/* ---- calls between environments ---- */

enum { SERVER_ENDPOINT = 20, END = 1 };

#define LOT 40u /* as many capabilities as fit into what the fast path looks at; a page of small objects holds about as many */

static void server(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    while (exo_ep_reply_recv(SERVER_ENDPOINT, &message) >= 0)
        if (message.word[0] == END)
            child_exit(0);
    child_exit(1);
}

static struct child start_server(void)
{
    struct child child = child_new(server, 0);

    endpoint = (uint64_t)MUST(exo_ep_create());
    EXPECT(exo_cap_copy(child.env, SERVER_ENDPOINT, endpoint, EXO_RIGHTS_ALL, 0), SERVER_ENDPOINT);
    child_start(&child);
    return child;
}

static void end_server(const struct child *child)
{
    struct exo_message message = {.word = {END}};

    EXPECT(exo_ep_call(endpoint, &message), -EXO_E_PEER);
    EXPECT((int64_t)child_result(child), 0);
    EXPECT(exo_cap_delete(endpoint), 0);
}

/* In lots: between them, the server's capabilities are taken back. */
static uint64_t call(uint64_t count, bool with_capability)
{
    struct child child = start_server();
    struct exo_message message = {0};
    uint64_t ticks = 0;

    for (uint64_t done = 0; done < count; done += LOT) {
        if (with_capability)
            ticks += TICKS(LOT, { message.word[4] = frame; (void)!exo_ep_call_cap(endpoint, &message); });
        else
            ticks += TICKS(LOT, { message.word[4] = frame; (void)!exo_ep_call(endpoint, &message); });
        EXPECT(exo_cap_revoke(frame), 0);
    }
    end_server(&child);
    return ticks;
}

static uint64_t round_trip(uint64_t count)
{
    return call(count, false);
}

static uint64_t grant(uint64_t count)
{
    return call(count, true) - call(count, false);
}

/* ---- revocation: per descendant, whether there are many or few ---- */

static uint64_t revoke(uint64_t count, uint64_t descendants, bool chain)
{
    uint64_t ticks = 0;

    for (uint64_t round = 0; round < count; round += descendants) {
        uint64_t above = frame, from;
        int64_t status;

        for (uint64_t i = 0; i < descendants; i++) {
            int64_t made = MUST(exo_cap_derive(SELF, 0, above, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER));

            if (chain && i % 100 != 99)
                above = (uint64_t)made;
            else
                above = frame;
        }
        from = exo_arch_cycles();
        do
            status = exo_cap_revoke(frame);
        while (status == -EXO_E_AGAIN);
        ticks += exo_arch_cycles() - from;
        EXPECT(status, 0);
    }
    return ticks;
}

static uint64_t revoke_100(uint64_t count)
{
    return revoke(count, 100, false);
}

static uint64_t revoke_10000(uint64_t count)
{
    return revoke(count, 10000, false);
}

static uint64_t revoke_chains(uint64_t count)
{
    return revoke(count, 10000, true);
}

static const struct {
    const char *name;
    uint64_t (*run)(uint64_t count);
    uint64_t count; /* of operations; three times as many are made, too */
} cases[] = {
    {"kernel_null", null_call, N},
    {"frame_address", address, N},
    {"label_check", label_check, N},
    {"rights_check", rights_check, N},
    {"mem_map_1", map_one, N},
    {"mem_unmap_1", unmap_one, N},
    {"mem_protect_1", protect_one, N},
    {"cap_derive", derive, N},
    {"switch_same", switch_same, N},
    {"switch_other", switch_other, N},
    {"slice_yield_to", yield_to, N},
    {"yield_to_crowd", yield_to_crowd, N},
    {"wake_turns", wake_turns, N},
    {"wake_turns_crowd", wake_turns_crowd, N},
    {"ipc_call", round_trip, 3 * LOT},
    {"ipc_grant", grant, 3 * LOT},
    {"channel_send", channel_send, 640},
    {"channel_receive", channel_receive, 640},
    {"channel_turns", channel_turns, 640},
    {"sched_choice_2", choice_2, N},
    {"sched_choice_2000", choice_2000, N},
    {"sched_quantum_2", quantum_2, 10000},
    {"sched_quantum_2000", quantum_2000, 10000},
    {"revoke_100", revoke_100, 1000},
    {"revoke_10000", revoke_10000, 10000},
    {"revoke_chains", revoke_chains, 10000},
};

void exo_main(const struct exo_startup *start)
{
    bare_start = start;
    frame = (uint64_t)MUST(exo_frame_alloc(ZONE, 1));
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t count = cases[i].count, once, thrice, tenths;

        (void)cases[i].run(3 * count);
        once = cases[i].run(count);
        thrice = cases[i].run(3 * count);
        tenths = (thrice - once) * 10 / (2 * count);
        bare_say("%s %lu.%lu %lu.%lu %lu.%lu %lu\n", cases[i].name, tenths / 10, tenths % 10, tenths / 10, tenths % 10, tenths / 10,
                 tenths % 10, count);
    }
    EXPECT(exo_power_off(MACHINE, bare_failures ? 0x20 : EXO_POWER_OFF), 0);
}
