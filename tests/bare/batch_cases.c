/* Batches: many calls in one entry, each with its own checks and result. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define NUMBER(name) (EXO_CALL_##name - EXO_CALL_BASE)
#define UNTOUCHED (-4711)

static struct exo_batch_op *room(void)
{
    EXPECT(exo_alloc_all(SELF, AREA(0), 2, RW, NULL), 0);
    for (unsigned i = 0; i < EXO_BATCH_MOST; i++)
        ((struct exo_batch_op *)AREA(0))[i] = (struct exo_batch_op){.call = NUMBER(NULL), .result = UNTOUCHED};
    return (struct exo_batch_op *)AREA(0);
}

static void clean(void)
{
    EXPECT(exo_unmap_all(SELF, AREA(0), 2), 0);
}

CASE(batch_results, "a batch makes its calls in order; failures stand in their own results and stop nothing")
{
    struct exo_batch_op *ops = room();

    ops[0] = (struct exo_batch_op){.call = NUMBER(MEM_ALLOC), .argument = {SELF, AREA(2), 3, RW}};
    ops[1] = (struct exo_batch_op){.call = NUMBER(MEM_ALLOC), .argument = {SELF, AREA(2), 3, RW}};
    ops[2] = (struct exo_batch_op){.call = NUMBER(MEM_ALLOC), .argument = {CTX, AREA(3), 1, RW}};
    ops[3] = (struct exo_batch_op){.call = NUMBER(MEM_UNMAP), .argument = {SELF, AREA(2), 3}};
    EXPECT(exo_batch(ops, 5), 5);
    EXPECT(ops[0].result, 3);
    EXPECT(ops[1].result, -EXO_E_EXISTS);
    EXPECT(ops[2].result, -EXO_E_TYPE);
    EXPECT(ops[3].result, 3);
    EXPECT(ops[4].result, 0);
    EXPECT(ops[5].result, UNTOUCHED);
    EXPECT(exo_batch(ops, 0), 0);
    EXPECT(exo_batch(ops, EXO_BATCH_MOST), EXO_BATCH_MOST);
    clean();
}

CASE(batch_needed, "a call that is needed and fails ends the batch; what was done stays done")
{
    struct exo_batch_op *ops = room();

    ops[0] = (struct exo_batch_op){.call = NUMBER(MEM_ALLOC), .argument = {SELF, AREA(2), 1, RW}, .flags = EXO_BATCH_NEEDED};
    ops[1] = (struct exo_batch_op){.call = NUMBER(CAP_DELETE), .argument = {0xfff0}, .flags = EXO_BATCH_NEEDED};
    EXPECT(exo_batch(ops, 3), 2);
    EXPECT(ops[0].result, 1);
    EXPECT(ops[1].result, -EXO_E_BADSLOT);
    EXPECT(ops[2].result, UNTOUCHED);
    EXPECT(exo_unmap_all(SELF, AREA(2), 1), 0);
    clean();
}

CASE(batch_misuse, "a batch: calls that may sleep, batches in batches, numbers that are none, bad arrays")
{
    static const uint32_t never[] = {NUMBER(EP_CALL), NUMBER(EP_CALL_CAP), NUMBER(EP_RECV), NUMBER(EP_REPLY_RECV), NUMBER(WAIT), NUMBER(WAIT_WORD),
                                     NUMBER(YIELD), NUMBER(BATCH), NUMBER(POWER_OFF), 29, EXO_CALLS, UINT32_MAX};
    struct exo_batch_op *ops = room();
    unsigned count = sizeof(never) / sizeof(never[0]);

    for (unsigned i = 0; i < count; i++)
        ops[i] = (struct exo_batch_op){.call = never[i], .argument = {MACHINE, AREA(0), 1, 1, 1, 1}};
    EXPECT(exo_batch(ops, count), count);
    for (unsigned i = 0; i < count; i++)
        EXPECT(ops[i].result, -EXO_E_BADCALL);
    EXPECT(exo_batch(ops, EXO_BATCH_MOST + 1), -EXO_E_INVAL);
    EXPECT(exo_batch(ops, UINT64_MAX), -EXO_E_INVAL);
    EXPECT(exo_batch((char *)ops + 8, 1), -EXO_E_ALIGN);
    EXPECT(exo_batch((void *)AREA(5), 1), -EXO_E_FAULT);
    EXPECT(exo_batch((void *)0xffffffff80100000ul, 1), -EXO_E_FAULT);
    EXPECT(exo_batch((void *)bare_info(), 1), -EXO_E_FAULT); /* read-only */
    EXPECT(exo_batch((void *)AREA(5), 0), 0);
    ops = (struct exo_batch_op *)(AREA(0) + 2 * EXO_PAGE_BYTES) - 2; /* the array ends where memory does */
    ops[0] = ops[1] = (struct exo_batch_op){.call = NUMBER(NULL), .result = UNTOUCHED};
    EXPECT(exo_batch(ops, 3), 2);
    EXPECT(ops[1].result, 0);
    ops[0] = (struct exo_batch_op){.call = NUMBER(MEM_UNMAP), .argument = {SELF, AREA(0), 2}}; /* the ground under its feet */
    EXPECT(exo_batch(ops, 2), 1);
    clean();
}

#define LARGE_OPS 64u
#define OP_PAGES 256u
#define LARGE_VA 0x180000000ul

/* Pages that come and go and come again: far more than one entry does. */
static void ask_for_much(struct exo_batch_op *ops, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ops[i] = (struct exo_batch_op){
            .call = i % 2 ? NUMBER(MEM_UNMAP) : NUMBER(MEM_ALLOC), .argument = {SELF, LARGE_VA, OP_PAGES, RW}, .result = UNTOUCHED};
}

CASE(batch_work, "a batch of much work ends early, says so, and is gone on with")
{
    struct exo_batch_op *ops = room();
    uint64_t entries = 0, at = 0;
    unsigned most = EXO_BATCH_WORK / OP_PAGES + 1; /* the one that passes the bound is still made */

    ask_for_much(ops, LARGE_OPS);
    while (at < LARGE_OPS) {
        int64_t made = exo_batch(ops + at, LARGE_OPS - at);

        if (made <= 0 || made > most)
            break;
        at += (uint64_t)made;
        entries++;
        for (unsigned i = 0; i < LARGE_OPS; i++)
            EXPECT(ops[i].result, i < at ? (int64_t)OP_PAGES : UNTOUCHED);
    }
    EXPECT((int64_t)at, LARGE_OPS);
    EXPECT((int64_t)entries, (LARGE_OPS + most - 1) / most);
    ask_for_much(ops, most); /* nothing is left of the work before */
    EXPECT(exo_batch(ops, most), most);
    *(volatile char *)(LARGE_VA + OP_PAGES * EXO_PAGE_BYTES - 1) = 1;
    EXPECT(exo_unmap_all(SELF, LARGE_VA, OP_PAGES), 0);
    EXPECT(exo_batch(ops, 0), 0);
    clean();
}

CASE(batch_all, "exo_batch_all: as many entries as it takes; a needed call that fails ends it, also where the work does")
{
    struct exo_batch_op *ops = room();
    unsigned most = EXO_BATCH_WORK / OP_PAGES + 1;

    EXPECT(exo_alloc_all(SELF, AREA(0) + 2 * EXO_PAGE_BYTES, 1, RW, NULL), 0);
    ask_for_much(ops, 3 * most);
    for (unsigned i = 3 * most; i < 100; i++)
        ops[i] = (struct exo_batch_op){.call = NUMBER(NULL), .result = UNTOUCHED};
    EXPECT(exo_batch_all(ops, 100), 100);
    for (unsigned i = 0; i < 100; i++)
        EXPECT(ops[i].result, i < 3 * most ? (int64_t)OP_PAGES : 0);
    EXPECT(exo_unmap_all(SELF, LARGE_VA, OP_PAGES), 0);

    ask_for_much(ops, 3 * most);
    ops[most].call = NUMBER(CAP_DELETE); /* the first of the second entry */
    ops[most].argument[0] = 0xfff0;
    ops[most].flags = EXO_BATCH_NEEDED;
    EXPECT(exo_batch_all(ops, 3 * most), most + 1);
    EXPECT(ops[most].result, -EXO_E_BADSLOT);
    EXPECT(ops[most + 1].result, UNTOUCHED);
    EXPECT(exo_unmap_all(SELF, LARGE_VA, OP_PAGES), 0);

    EXPECT(exo_batch_all((void *)AREA(5), 3), -EXO_E_FAULT);
    EXPECT(exo_batch_all((void *)((char *)ops + 8), 3), -EXO_E_ALIGN);
    EXPECT(exo_batch_all((void *)AREA(5), 0), 0);
    EXPECT(exo_unmap_all(SELF, AREA(0) + 2 * EXO_PAGE_BYTES, 1), 0);
    clean();
}

/* Ops of one call that is long in another way than by its pages. */
static int64_t many(struct exo_batch_op *ops, struct exo_batch_op op)
{
    op.result = UNTOUCHED;
    for (unsigned i = 0; i < EXO_BATCH_MOST; i++)
        ops[i] = op;
    return exo_batch(ops, EXO_BATCH_MOST);
}

CASE(batch_other_work, "what is long in other ways ends a batch early, too")
{
    struct exo_batch_op *ops = room();
    int64_t frame, made, most = EXO_BATCH_WORK / OP_PAGES + 1;

    EXPECT(exo_alloc_all(SELF, LARGE_VA, OP_PAGES, RW, NULL), 0);
    EXPECT(many(ops, (struct exo_batch_op){.call = NUMBER(MEM_QUERY), .argument = {SELF, LARGE_VA, OP_PAGES, LARGE_VA}}), most);
    EXPECT(ops[most - 1].result, OP_PAGES);
    EXPECT(ops[most].result, UNTOUCHED);
    EXPECT(many(ops, (struct exo_batch_op){.call = NUMBER(MEM_PROTECT), .argument = {SELF, LARGE_VA, OP_PAGES, RW}}), most);
    EXPECT(ops[most - 1].result, OP_PAGES);
    EXPECT(many(ops, (struct exo_batch_op){.call = NUMBER(MEM_SHARE), .argument = {SELF, LARGE_VA, LARGE_VA, OP_PAGES, EXO_SHARE_SAME | RW}}),
           most);
    EXPECT(ops[most - 1].result, OP_PAGES);
    made = many(ops, (struct exo_batch_op){.call = NUMBER(FRAME_ALLOC), .argument = {ZONE, 64}});
    EXPECT(made, EXO_BATCH_WORK / 64 + 1);
    for (int64_t i = 0; i < made; i++)
        EXPECT(exo_cap_delete((uint64_t)MUST(ops[i].result)), 0);
    frame = MUST(exo_frame_alloc(ZONE, 512));
    made = many(ops, (struct exo_batch_op){.call = NUMBER(MEM_MAP), .argument = {SELF, AREA(128), (uint64_t)frame, 0, 512, RW}});
    EXPECT(made, EXO_BATCH_MOST); /* the first did it all, the others nothing */
    EXPECT(ops[0].result, 512);
    EXPECT(ops[1].result, -EXO_E_EXISTS);
    EXPECT(exo_unmap_all(SELF, AREA(128), 512), 0);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(exo_unmap_all(SELF, LARGE_VA, OP_PAGES), 0);
    clean();
}

static void ends_itself(uint64_t unused)
{
    struct exo_batch_op *ops = (struct exo_batch_op *)AREA(0);

    (void)unused;
    ops[0] = (struct exo_batch_op){.call = NUMBER(ENV_DESTROY), .argument = {SELF, 9}};
    ops[1] = (struct exo_batch_op){.call = NUMBER(NULL)};
    (void)!exo_batch(ops, 2);
    child_exit(1);
}

CASE(batch_end, "an environment that ends itself in the middle of a batch")
{
    struct child child = child_new(ends_itself, 0);

    EXPECT(exo_alloc_all(child.env, AREA(0), 1, RW, NULL), 0);
    child_start(&child);
    EXPECT((int64_t)child_end(&child), EXO_REASON_DESTROYED | 9 << 8);
}
