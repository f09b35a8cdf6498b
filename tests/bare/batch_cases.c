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
    static const uint32_t never[] = {NUMBER(EP_CALL), NUMBER(EP_CALL_CAP), NUMBER(EP_RECV), NUMBER(EP_REPLY_RECV), NUMBER(WAIT),
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
