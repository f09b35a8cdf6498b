/*
 * Who tries to use up the kernel from ring 3 uses up the zone that he is in, and nothing else: for each kind of object, by a program in a zone with a
 * small quota. And for each call that takes memory: it fails at every point at which it can run out of it, and leaves nothing behind.
 */
#include "bare.h"

#include <exo/label.h>

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define QUOTA 400u
#define MOST 100000u
#define FAR(n) (0x100000000000ul + ((uint64_t)(n) << 30))

/* ---- in the child ---- */

/* How many succeeded, and the error that ended it. */
_Noreturn static void report(uint64_t count, int64_t status)
{
    child_exit(count << 8 | (uint64_t)-status);
}

#define TAKE_ALL(name, call)                                                                                           \
    static void name(uint64_t argument)                                                                                \
    {                                                                                                                  \
        int64_t status = 0;                                                                                            \
        uint64_t i = 0;                                                                                                \
                                                                                                                       \
        (void)argument;                                                                                                \
        for (; i < MOST && status >= 0; i++)                                                                           \
            status = (call);                                                                                           \
        report(i - 1, status);                                                                                         \
    }

static const struct exo_ctx_state state_of_none;

/* Work on STACK_PAGE, which is the child's own, and on nothing else. */
#define STACK_PAGE 0x200000000000ul
TAKE_ALL(take_environments, exo_env_create(ZONE, 0, 0))
TAKE_ALL(take_contexts, exo_ctx_create(SELF, FAR(0) + i * PAGE, &state_of_none))
TAKE_ALL(take_far_contexts, exo_ctx_create(SELF, FAR(i), &state_of_none))
TAKE_ALL(take_endpoints, exo_ep_create())
TAKE_ALL(take_slots, exo_cap_copy(SELF, 0, SELF, EXO_RIGHTS_ALL, 0))
TAKE_ALL(take_far_slots, exo_cap_copy(SELF, 64 + (i & 511) * 128 + i / 512, SELF, EXO_RIGHTS_ALL, 0))
TAKE_ALL(take_tallies, exo_tally_create((void *)STACK_PAGE))
TAKE_ALL(take_watches, exo_watch_create((void *)STACK_PAGE, (void *)STACK_PAGE))
TAKE_ALL(take_services, exo_service_create(EXO_TYPE_SERVICE))
TAKE_ALL(take_ports, exo_ports_create(MACHINE, 0x6f0, 1)) /* nobody's */
TAKE_ALL(take_devices, exo_frame_device(MACHINE, 0xfeb00000, 1))
TAKE_ALL(take_accounts, exo_gas_set((uint64_t)exo_env_create(ZONE, 0, 0), EXO_GAS_FIXED, 10, 0))
TAKE_ALL(take_zones, exo_zone_create(ZONE, 1))
TAKE_ALL(take_blocks, exo_frame_alloc(ZONE, 1))
TAKE_ALL(take_large_blocks, exo_frame_claim(ZONE, 64, EXO_FRAME_ANYWHERE, 0))
TAKE_ALL(take_memory, exo_mem_alloc(SELF, FAR(0) + i * PAGE, 1, RW))
TAKE_ALL(take_tables, exo_mem_share(SELF, FAR(i), STACK_PAGE, 1, EXO_SHARE_SAME | RW))

/* All to one block. */
static void take_windows(uint64_t argument)
{
    int64_t frame = exo_frame_alloc(ZONE, 1), status = frame;
    uint64_t i = 0;

    (void)argument;
    for (; i < MOST && status >= 0; i++)
        status = exo_dma_bind(MACHINE, (uint64_t)frame);
    report(i - 1, status);
}

/* An endpoint each, far from the others. */
static void take_moves(uint64_t argument)
{
    int64_t status = 0;
    uint64_t i = 0;

    (void)argument;
    for (; i < MOST && status >= 0; i++) {
        status = exo_ep_create();
        if (status >= 0)
            status = exo_cap_move(SELF, 64 + (i & 511) * 128 + i / 512, (uint64_t)status);
    }
    report(i - 1, status);
}

/* All interrupt lines that there are, and what each can wait for; then each has its timer and its ledger again and again. */
static void take_lines(uint64_t argument)
{
    int64_t endpoint = exo_ep_create(), status = endpoint;
    uint64_t lines = 0;

    (void)argument;
    for (uint64_t line = 0; line < 256 && endpoint >= 0; line++)
        lines += exo_irq_bind(MACHINE, line, (uint64_t)endpoint, 1) >= 0;
    for (unsigned i = 0; i < 1000 && status >= 0; i++) {
        status = exo_timer_set(EXO_DEADLINE_NEVER - 1 - i, 1);
        if (status >= 0)
            status = exo_ledger_bind((void *)STACK_PAGE, 2);
        if (status >= 0)
            status = exo_gas_set(SELF, EXO_GAS_RATE_MAX, EXO_GAS_AMOUNT_MAX, 0);
        if (status >= 0)
            status = exo_gas_notify(SELF, (uint64_t)endpoint, 1);
    }
    report(lines, status);
}

/* Contexts get a copy of their maker's floating-point registers: one page more each. */
static void take_float_contexts(uint64_t argument)
{
    __asm__ volatile("fninit");
    take_contexts(argument);
}

static void first_float(uint64_t argument)
{
    (void)argument;
    __asm__ volatile("fninit");
    child_exit(7);
}

/* Each derives from the one before. */
static void take_depth(uint64_t argument)
{
    int64_t handle = SELF;
    uint64_t count = 0;

    (void)argument;
    for (; count < MOST; count++) {
        int64_t next = exo_cap_derive(SELF, 0, (uint64_t)handle, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER);

        if (next < 0)
            report(count, next);
        handle = next;
    }
    report(count, 0);
}

/* Blocks cut into pages: the frames are there, the objects are new. */
static void take_halves(uint64_t argument)
{
    int64_t status = exo_frame_claim(ZONE, 64, EXO_FRAME_ANYWHERE, 0), block = status;
    uint64_t count = 0;

    (void)argument;
    for (; count < 63 && status >= 0; count++)
        status = block = exo_frame_split((uint64_t)block, 1);
    report(count, status < 0 ? status : 0);
}

/* Each writes a page that it shares with its parent for copying. */
static void take_copies(uint64_t argument)
{
    for (uint64_t at = 0;; at += PAGE)
        *(volatile uint64_t *)(argument + at) = 1;
}

/* ---- in the parent ---- */

static uint64_t zone_with(uint64_t quota)
{
    return (uint64_t)MUST(exo_zone_create(ZONE, quota));
}

/* So many frames, and no end of environments and zones: their number is the machine's. */
static uint64_t small_zone(void)
{
    struct exo_zone_limits limits = {.frames = QUOTA, .envs = 300, .slots = MOST, .weight = EXO_ZONE_WEIGHT};

    return (uint64_t)MUST(exo_zone_make(ZONE, EXO_LABEL_TOP, &limits));
}

static void end_zone(uint64_t zone, uint64_t before)
{
    bare_settle();
    EXPECT(exo_cap_delete(zone), 0);
    bare_settle();
    CHECK(bare_frames_free() + 4 >= before); /* a few pages of this environment's own small objects may have come */
}

static struct child child_with_zone(uint64_t zone, void (*function)(uint64_t), uint64_t argument)
{
    struct child child = child_new_in(zone, function, argument);

    EXPECT(exo_cap_copy(child.env, ZONE, zone, EXO_RIGHTS_ALL, 0), ZONE);
    EXPECT(exo_cap_copy(child.env, MACHINE, MACHINE, EXO_RIGHTS_ALL, 0), MACHINE);
    return child;
}

/* The child takes all that it gets; meanwhile, and afterwards, there is as much for others as before, but for the quota. */
static void try_to_exhaust(const char *what, void (*function)(uint64_t), int64_t wanted, uint64_t least)
{
    uint64_t before, zone, result;
    struct child child;

    bare_settle();
    before = bare_frames_free();
    zone = small_zone();
    child = child_with_zone(zone, function, 0);
    child_start(&child);
    result = child_result(&child); /* waits for its end, looks, and destroys it */
    if ((int64_t)(result & 255) != wanted || result >> 8 < least)
        bare_say("# %s: %lu and then error %lu\n", what, result >> 8, result & 255);
    EXPECT((int64_t)(result & 255), wanted);
    CHECK(result >> 8 >= least);
    bare_settle();
    if (bare_zone_used(zone) > 3)
        bare_say("# %s: %lu frames are left in the zone\n", what, bare_zone_used(zone));
    CHECK(bare_zone_used(zone) <= 3); /* an empty page of each size of small objects */
    end_zone(zone, before);
}

CASE(exhaust_objects, "environments, contexts, endpoints, tallies, services, zones, ports, devices, accounts: NOMEM in one's own zone, and all comes back")
{
    try_to_exhaust("environments", take_environments, EXO_E_NOMEM, 50);
    try_to_exhaust("contexts", take_contexts, EXO_E_NOMEM, 100);
    try_to_exhaust("contexts with floating-point registers", take_float_contexts, EXO_E_NOMEM, 80);
    try_to_exhaust("contexts far apart", take_far_contexts, EXO_E_NOMEM, 50);
    try_to_exhaust("endpoints", take_endpoints, EXO_E_NOMEM, 1000);
    try_to_exhaust("tallies", take_tallies, EXO_E_NOMEM, 1000);
    try_to_exhaust("watches", take_watches, EXO_E_NOMEM, 100);
    try_to_exhaust("services", take_services, EXO_E_NOMEM, 1000);
    try_to_exhaust("zones", take_zones, EXO_E_NOMEM, 100);
    try_to_exhaust("ports", take_ports, EXO_E_NOMEM, 1000);
    try_to_exhaust("windows for devices", take_windows, EXO_E_NOMEM, 1000);
    try_to_exhaust("devices' pages", take_devices, EXO_E_NOMEM, 1000);
    try_to_exhaust("gas accounts", take_accounts, EXO_E_BADSLOT, 50); /* of an environment that there was no memory for */
    try_to_exhaust("interrupt lines, timers, ledgers, accounts", take_lines, 0, 2);
}

CASE(exhaust_slots, "slots and derivations: NOMEM or LIMIT in one's own zone")
{
    try_to_exhaust("slots", take_slots, EXO_E_NOMEM, 2000);
    try_to_exhaust("slots far apart", take_far_slots, EXO_E_NOMEM, 100);
    try_to_exhaust("slots that are moved to", take_moves, EXO_E_NOMEM, 100);
    try_to_exhaust("depth", take_depth, EXO_E_LIMIT, 200);
}

CASE(exhaust_memory, "pages, page tables, frame blocks and halves of them: NOMEM in one's own zone")
{
    try_to_exhaust("pages", take_memory, EXO_E_NOMEM, 200);
    try_to_exhaust("page tables", take_tables, EXO_E_NOMEM, 80);
    try_to_exhaust("blocks", take_blocks, EXO_E_NOMEM, 200);
    try_to_exhaust("large blocks", take_large_blocks, EXO_E_NOMEM, 4);
    try_to_exhaust("halves", take_halves, 0, 63);
}

CASE(exhaust_copies, "pages copied on write: who has no memory for one ends, and nobody else")
{
    uint64_t before, zone, done = 0, reason;
    struct child child;

    bare_settle();
    before = bare_frames_free();
    zone = zone_with(QUOTA);
    EXPECT(exo_alloc_all(SELF, FAR(1), 300, RW, NULL), 0);
    child = child_with_zone(zone, take_copies, FAR(1));
    EXPECT(exo_share_all(child.env, FAR(1), FAR(1), 300, EXO_SHARE_COW | RW), 0);
    EXPECT(exo_alloc_all(child.env, FAR(2), 200, RW, &done), 0);
    child_start(&child);
    reason = child_end(&child);
    EXPECT((int64_t)reason, EXO_REASON_FAULT | 14 << 8);
    EXPECT(exo_unmap_all(SELF, FAR(1), 512), 0);
    end_zone(zone, before);
}

/* Memory for the registers is taken at the first floating-point instruction: `full` says whether there is none left then. */
static uint64_t use_float(bool full)
{
    uint64_t before, zone, reason;
    struct child child;

    bare_settle();
    before = bare_frames_free();
    zone = zone_with(60);
    child = child_with_zone(zone, first_float, 0);
    for (uint64_t i = 0; full && exo_mem_alloc(child.env, FAR(0) + i * PAGE, 1, RW) == 1; i++)
        ;
    child_start(&child);
    reason = child_end(&child);
    end_zone(zone, before);
    return reason;
}

CASE(exhaust_float, "the first floating-point instruction without memory for the registers ends the environment, and nobody else")
{
    EXPECT((int64_t)use_float(false), EXO_REASON_FAULT | 14 << 8); /* child_exit */
    EXPECT((int64_t)use_float(true), EXO_REASON_NOPAGE);
    EXPECT((int64_t)use_float(false), EXO_REASON_FAULT | 14 << 8);
}

CASE(others_unharmed, "while one zone is full, others make what they like")
{
    uint64_t zone = zone_with(60);
    int64_t full = MUST(exo_env_create(zone, 0, 0)), env;
    uint64_t done;

    EXPECT(exo_alloc_all((uint64_t)full, FAR(0), 100, RW, &done), -EXO_E_NOMEM);
    EXPECT(exo_env_create(zone, 0, 0), -EXO_E_NOMEM);
    EXPECT(exo_frame_alloc(zone, 1), -EXO_E_NOMEM);
    EXPECT(exo_zone_create(zone, 1), -EXO_E_NOMEM);
    env = MUST(exo_env_create(ZONE, 0, 0));
    EXPECT(exo_alloc_all((uint64_t)env, FAR(0), 100, RW, NULL), 0);
    bare_destroy((uint64_t)env);
    bare_destroy((uint64_t)full);
    EXPECT(exo_cap_delete(zone), 0);
}

/* ---- every point at which a call can run out of memory ---- */

/* A zone with an environment in it, and what the calls below need. */
struct stage {
    uint64_t zone, env, frame;
};

static int64_t make_env(const struct stage *stage)
{
    return exo_env_create(stage->zone, 0, 0);
}
static int64_t make_zone(const struct stage *stage)
{
    return exo_zone_create(stage->zone, 5);
}
static int64_t make_endpoint(const struct stage *stage)
{
    return exo_ep_create_in(stage->zone);
}
static int64_t make_block(const struct stage *stage)
{
    return exo_frame_alloc(stage->zone, 3);
}
static int64_t make_large_block(const struct stage *stage)
{
    return exo_frame_claim(stage->zone, 20, EXO_FRAME_COLOUR, 1ul << 32);
}
static int64_t make_half(const struct stage *stage)
{
    return exo_frame_split(stage->frame, 1);
}
static int64_t make_context(const struct stage *stage)
{
    return exo_ctx_create(stage->env, FAR(1), &state_of_none);
}
static int64_t make_page(const struct stage *stage)
{
    return exo_mem_alloc(stage->env, FAR(1), 1, RW);
}
static int64_t make_mapping(const struct stage *stage)
{
    return exo_mem_map(stage->env, FAR(1), stage->frame, 0, 1, RW);
}
static int64_t make_share(const struct stage *stage)
{
    return exo_mem_share(stage->env, FAR(1), STACK_PAGE, 1, EXO_SHARE_SAME | RW);
}
static int64_t make_share_copy(const struct stage *stage)
{
    return exo_mem_share(stage->env, FAR(1), STACK_PAGE, 1, EXO_SHARE_COPY | RW);
}
static int64_t make_slot(const struct stage *stage)
{
    return exo_cap_copy(stage->env, 300, SELF, EXO_RIGHTS_ALL, 0);
}
static int64_t make_low_slot(const struct stage *stage)
{
    return exo_cap_copy(stage->env, 0, SELF, EXO_RIGHTS_ALL, 0);
}
static int64_t make_slots(const struct stage *stage)
{
    return exo_env_clone_slots(stage->env, 1, 4) == 4 ? 0 : -EXO_E_NOMEM;
}

/* `stays`: frames that a failed call may leave with the environment: tables and slot pages on the way to what it wanted. */
static const struct {
    const char *name;
    int64_t (*call)(const struct stage *stage);
    uint64_t stays;
} calls[] = {
    {"env_create", make_env, 0},          {"zone_create", make_zone, 0},     {"ep_create_in", make_endpoint, 0},
    {"frame_alloc", make_block, 0},       {"frame_claim", make_large_block, 0}, {"frame_split", make_half, 0},
    {"ctx_create", make_context, 3},      {"mem_alloc", make_page, 3},       {"mem_map", make_mapping, 3},
    {"mem_share", make_share, 3},         {"mem_share copy", make_share_copy, 3}, {"cap_copy far", make_slot, 2},
    {"cap_copy", make_low_slot, 0},       {"env_clone_slots", make_slots, 0},
};

static struct stage set_up(uint64_t quota)
{
    struct stage stage = {.zone = zone_with(quota)};

    stage.env = (uint64_t)MUST(exo_env_create(stage.zone, 0, 0));
    stage.frame = (uint64_t)MUST(exo_frame_alloc(stage.zone, 2));
    return stage;
}

static void take_down(const struct stage *stage)
{
    bare_destroy(stage->env);
    EXPECT(exo_cap_delete(stage->frame), 0);
    bare_settle();
    CHECK(bare_zone_used(stage->zone) <= 3);
    EXPECT(exo_cap_delete(stage->zone), 0);
}

/* With `spare` frames beyond what is set up: what the call answers; it must not be anything but NOMEM or success. */
static bool succeeds_with(unsigned which, uint64_t base, uint64_t spare)
{
    struct stage stage = set_up(base + spare);
    uint64_t used = bare_zone_used(stage.zone), after, wrong;
    int64_t status = calls[which].call(&stage);
    bool is_handle = status > 1;

    after = bare_zone_used(stage.zone);
    wrong = status < 0 && (status != -EXO_E_NOMEM || after > used + calls[which].stays + 1); /* an empty page of small objects */
    if (wrong)
        bare_say("# %s with %lu frames: %ld, %lu frames more are used\n", calls[which].name, spare, status, after - used);
    CHECK(!wrong);
    if (is_handle && which != 11 && which != 12) /* those are handles of the other environment */
        EXPECT(exo_cap_delete((uint64_t)status), 0);
    take_down(&stage);
    return status >= 0;
}

CASE(fail_the_nth, "each call that takes memory fails with NOMEM wherever it can run out, and leaves nothing")
{
    struct stage stage = set_up(1000);
    uint64_t base = bare_zone_used(stage.zone);

    take_down(&stage);
    EXPECT(exo_alloc_all(SELF, STACK_PAGE, 1, RW, NULL), 0);
    for (unsigned which = 0; which < sizeof(calls) / sizeof(calls[0]); which++) {
        uint64_t spare = 0;

        while (spare < 40 && !succeeds_with(which, base, spare))
            spare++;
        CHECK(spare < 40);
    }
    EXPECT(exo_unmap_all(SELF, STACK_PAGE, 1), 0);
}

/* What is charged to the caller itself is called by a child. */
static void call_endpoint(uint64_t argument)
{
    (void)argument;
    report(0, exo_ep_create() < 0 ? -EXO_E_NOMEM : 0);
}
static void call_tally(uint64_t argument)
{
    (void)argument;
    report(0, exo_tally_create((void *)STACK_PAGE) < 0 ? -EXO_E_NOMEM : 0);
}
static void call_watch(uint64_t argument)
{
    (void)argument;
    report(0, exo_watch_create((void *)STACK_PAGE, (void *)STACK_PAGE) < 0 ? -EXO_E_NOMEM : 0);
}
static void call_service(uint64_t argument)
{
    (void)argument;
    report(0, exo_service_create(EXO_TYPE_SERVICE) < 0 ? -EXO_E_NOMEM : 0);
}

/* What the child's call answers in a zone of the quota; *base: what the zone holds before. */
static uint64_t own_call(void (*function)(uint64_t), uint64_t quota, uint64_t *base)
{
    uint64_t zone = zone_with(quota), result;
    struct child child = child_with_zone(zone, function, 0);

    *base = bare_zone_used(zone);
    child_start(&child);
    result = child_result(&child);
    bare_settle();
    CHECK(bare_zone_used(zone) <= 3);
    EXPECT(exo_cap_delete(zone), 0);
    return result;
}

CASE(fail_the_nth_own, "and so do those that are charged to the caller")
{
    static void (*const functions[])(uint64_t) = {call_endpoint, call_tally, call_watch, call_service};

    for (unsigned which = 0; which < 4; which++) {
        uint64_t base, spare = 0, ignored, result;

        EXPECT((int64_t)own_call(functions[which], 1000, &base), 0);
        while (spare < 20 && (result = own_call(functions[which], base + spare, &ignored)) != 0) {
            EXPECT((int64_t)result, EXO_E_NOMEM);
            spare++;
        }
        CHECK(spare < 20);
    }
}
