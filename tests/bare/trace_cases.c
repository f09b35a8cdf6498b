/* Traces: what is recorded, in which order, what a full ring loses, and who may not. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define PAGES 4ul
#define HOLDS ((PAGES * PAGE - sizeof(struct exo_trace_header)) / sizeof(struct exo_trace_record))

static struct {
    int64_t frames, trace;
    const volatile struct exo_trace_header *header;
    const struct exo_trace_record *records;
} ring;

static void begin(uint64_t cpu, uint64_t sample_ns)
{
    ring.frames = MUST(exo_frame_alloc(ZONE, PAGES));
    EXPECT(exo_map_all(SELF, AREA(0), (uint64_t)ring.frames, 0, PAGES, EXO_PROT_READ), 0);
    ring.header = (const struct exo_trace_header *)AREA(0);
    ring.records = (const struct exo_trace_record *)(AREA(0) + sizeof(*ring.header));
    ring.trace = MUST(exo_trace_bind(MACHINE, (uint64_t)ring.frames, cpu, sample_ns));
}

static void finish(void)
{
    if (ring.trace)
        EXPECT(exo_cap_delete((uint64_t)ring.trace), 0);
    EXPECT(exo_unmap_all(SELF, AREA(0), PAGES), 0);
    EXPECT(exo_cap_delete((uint64_t)ring.frames), 0);
}

/* The first record of the kind from `from` on; its number, or ~0. */
static uint64_t find(uint64_t from, unsigned kind, unsigned detail)
{
    for (uint64_t i = from; i < ring.header->written && i < HOLDS; i++)
        if (ring.records[i].kind == kind && ring.records[i].detail == detail)
            return i;
    return ~0ull;
}

static uint64_t must_find(uint64_t from, unsigned kind, unsigned detail)
{
    uint64_t found = find(from, kind, detail);

    CHECK(found != ~0ull);
    return found == ~0ull ? 0 : found;
}

CASE(trace_calls, "trace: calls with their results, notes, in order; nothing after the end")
{
    uint64_t call, done, note, written;

    begin(0, 0);
    CHECK(ring.header->capacity == HOLDS && ring.header->cpu == 0 && ring.header->begun_tsc > 0);
    EXPECT(exo_frame_address(0xfffe), -EXO_E_BADSLOT);
    EXPECT(exo_trace_note(0x12345, 7, 8), 0);
    EXPECT(exo_cap_delete((uint64_t)ring.trace), 0);
    ring.trace = 0;
    written = ring.header->written;
    EXPECT(exo_null(), 0);
    EXPECT(exo_trace_note(1, 2, 3), 0); /* nobody hears it */
    CHECK(ring.header->written == written);
    if (bare_info()->cpus == 1) { /* else these may be another CPU's */
        call = must_find(0, EXO_TRACE_CALL, EXO_CALL_FRAME_ADDRESS - EXO_CALL_BASE);
        done = must_find(call, EXO_TRACE_RETURN, EXO_CALL_FRAME_ADDRESS - EXO_CALL_BASE);
        note = must_find(done, EXO_TRACE_NOTE, 0x2345);
        CHECK(ring.records[call].a == 0xfffe && (int64_t)ring.records[done].a == -EXO_E_BADSLOT);
        CHECK(ring.records[note].a == 7 && ring.records[note].b == 8 && ring.records[note].context == ring.records[call].context);
    }
    for (uint64_t i = 1; i < written && i < HOLDS; i++)
        CHECK(ring.records[i].tsc >= ring.records[i - 1].tsc);
    finish();
}

/* Answers one call, and ends. */
static void answers(uint64_t endpoint)
{
    struct exo_message message = {0};

    if (exo_ep_recv(endpoint, &message, EXO_DEADLINE_NEVER) >= 0)
        (void)!exo_ep_reply(message.word[0] + 1, 0, 0, 0, 0);
    child_exit(5);
}

CASE(trace_ipc, "trace: a call, its receipt and its answer, and who ran")
{
    int64_t endpoint = MUST(exo_ep_create());
    struct exo_message message = {.word = {41}};
    struct child child;
    uint64_t call, receive, reply;

    child = child_new(answers, 20);
    EXPECT(exo_cap_copy(child.env, 20, (uint64_t)endpoint, EXO_RIGHT_RECV, 0), 20);
    begin(0, 0);
    child_start(&child);
    bare_settle();
    EXPECT(exo_ep_call((uint64_t)endpoint, &message), 0);
    EXPECT((int64_t)message.word[0], 42);
    EXPECT(exo_cap_delete((uint64_t)ring.trace), 0);
    ring.trace = 0;
    if (bare_info()->cpus == 1) {
        call = must_find(0, EXO_TRACE_IPC_CALL, 0);
        receive = must_find(call, EXO_TRACE_IPC_RECEIVE, 0);
        reply = must_find(receive, EXO_TRACE_IPC_REPLY, 0);
        CHECK((uint32_t)ring.records[receive].a == ring.records[call].context && ring.records[receive].context == (uint32_t)ring.records[call].a);
        CHECK((uint32_t)ring.records[reply].a == ring.records[call].context && ring.records[reply].context == ring.records[receive].context);
        must_find(call, EXO_TRACE_SWITCH, 4); /* waits for the answer */
    }
    finish();
    EXPECT((int64_t)child_result(&child), 5);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

CASE(trace_full, "trace: a full ring has the newest, and tells how many there were")
{
    uint64_t last = 0;

    begin(0, 0);
    for (uint64_t i = 0; i < 3 * HOLDS; i++)
        EXPECT(exo_trace_note(1, i, 0), 0);
    CHECK(exo_cap_delete((uint64_t)ring.trace) == 0);
    ring.trace = 0;
    if (bare_info()->cpus == 1) {
        CHECK(ring.header->written >= 3 * HOLDS);
        for (uint64_t n = ring.header->written - HOLDS; n < ring.header->written; n++) {
            const struct exo_trace_record *record = &ring.records[n % HOLDS];

            if (record->kind != EXO_TRACE_NOTE)
                continue;
            CHECK(last == 0 || record->a == last + 1);
            last = record->a;
        }
        CHECK(last == 3 * HOLDS - 1);
    }
    finish();
}

CASE(trace_samples, "trace: samples of what runs")
{
    uint64_t until = bare_now() + 50000000, found;

    begin(0, 1000000);
    while (bare_now() < until)
        ;
    EXPECT(exo_cap_delete((uint64_t)ring.trace), 0);
    ring.trace = 0;
    if (bare_info()->cpus == 1) {
        for (found = 0; found < ring.header->written && ring.records[found].kind != EXO_TRACE_SAMPLE; found++)
            ;
        CHECK(found < ring.header->written && ring.records[found].a < EXO_USER_TOP);
    }
    finish();
}

CASE(trace_each_cpu, "trace: each CPU has its own, from where the caller is not")
{
    uint64_t cpus = bare_info()->cpus;

    for (uint64_t cpu = 0; cpu < cpus; cpu++) {
        begin(cpu, 0);
        CHECK(ring.header->cpu == cpu);
        for (unsigned i = 0; i < 100; i++)
            EXPECT(exo_null(), 0);
        bare_settle();
        finish();
    }
}

CASE(trace_misuse, "trace: without the right, twice, no such CPU, devices, too often; ended by revocation")
{
    int64_t weak = MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHTS_ALL & ~EXO_RIGHT_INSPECT, 0)), frame = MUST(exo_frame_alloc(ZONE, PAGES)), copy, trace;
    int64_t unready = MUST(exo_frame_claim(ZONE, 2048, EXO_FRAME_ANYWHERE, 0));

    EXPECT(exo_trace_bind((uint64_t)weak, (uint64_t)frame, 0, 0), -EXO_E_RIGHTS);
    EXPECT(exo_trace_bind(AUDIT, (uint64_t)frame, 0, 0), -EXO_E_TYPE);
    EXPECT(exo_trace_bind(0, (uint64_t)frame, 0, 0), -EXO_E_BADSLOT);
    EXPECT(exo_trace_bind(MACHINE, MACHINE, 0, 0), -EXO_E_TYPE);
    EXPECT(exo_trace_bind(MACHINE, (uint64_t)frame, bare_info()->cpus, 0), -EXO_E_RANGE);
    EXPECT(exo_trace_bind(MACHINE, (uint64_t)frame, ~0ull, 0), -EXO_E_RANGE);
    EXPECT(exo_trace_bind(MACHINE, (uint64_t)frame, 0, 1), -EXO_E_INVAL);
    EXPECT(exo_trace_bind(MACHINE, (uint64_t)unready, 0, 0), -EXO_E_AGAIN);
    copy = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ, 0));
    EXPECT(exo_trace_bind(MACHINE, (uint64_t)copy, 0, 0), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete((uint64_t)weak), 0);
    weak = MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHT_INSPECT | EXO_RIGHT_COPY, 0));
    trace = MUST(exo_trace_bind((uint64_t)weak, (uint64_t)frame, 0, 0));
    EXPECT(exo_trace_bind(MACHINE, (uint64_t)frame, 0, 0), -EXO_E_BUSY);
    EXPECT(exo_frame_split((uint64_t)frame, 1), -EXO_E_BUSY);
    while (exo_cap_revoke((uint64_t)weak) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_cap_delete((uint64_t)trace), -EXO_E_STALE);
    trace = MUST(exo_trace_bind(MACHINE, (uint64_t)frame, 0, 0)); /* and can be had again */
    EXPECT(exo_cap_delete((uint64_t)frame), -0);
    EXPECT(exo_null(), 0); /* recorded in frames that only the trace holds */
    EXPECT(exo_cap_delete((uint64_t)trace), 0);
    EXPECT(exo_cap_delete((uint64_t)copy), 0);
    EXPECT(exo_cap_delete((uint64_t)unready), 0);
    EXPECT(exo_cap_delete((uint64_t)weak), 0);
}
