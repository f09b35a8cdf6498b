/* Sleeping while a condition on a word holds: which conditions there are, that a wake that changes nothing ends no sleep, and none that does is lost. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED AREA(70)
#define FIELD(kind, first, bits) ((uint32_t)(kind) | (uint32_t)(first) << 8 | (uint32_t)(bits) << 16)

static volatile uint32_t *const words = (volatile uint32_t *)SHARED;

static int64_t look(uint32_t word, uint32_t value, uint32_t kind)
{
    const struct exo_predicate predicate = {SHARED, value, kind};

    words[0] = word;
    return exo_wait(&predicate, 1, EXO_DEADLINE_NOW);
}

#define HOLDS(word, value, kind) EXPECT(look(word, value, kind), -EXO_E_TIMEOUT)
#define FAILS(word, value, kind) EXPECT(look(word, value, kind), 0)

CASE(wait_kinds, "conditions: equal, not, below, from, behind, of whole words and of fields, at their edges")
{
    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    HOLDS(5, 5, EXO_WAIT_IS), FAILS(4, 5, EXO_WAIT_IS);
    HOLDS(4, 5, EXO_WAIT_IS_NOT), FAILS(5, 5, EXO_WAIT_IS_NOT);
    HOLDS(4, 5, EXO_WAIT_BELOW), FAILS(5, 5, EXO_WAIT_BELOW), FAILS(UINT32_MAX, 5, EXO_WAIT_BELOW), FAILS(0, 0, EXO_WAIT_BELOW);
    HOLDS(5, 5, EXO_WAIT_FROM), HOLDS(UINT32_MAX, 5, EXO_WAIT_FROM), FAILS(4, 5, EXO_WAIT_FROM), HOLDS(0, 0, EXO_WAIT_FROM);
    HOLDS(4, 5, EXO_WAIT_BEHIND), FAILS(5, 5, EXO_WAIT_BEHIND), FAILS(6, 5, EXO_WAIT_BEHIND);
    HOLDS(UINT32_MAX, 1, EXO_WAIT_BEHIND), FAILS(1, UINT32_MAX, EXO_WAIT_BEHIND); /* a counter that wrapped */
    HOLDS(0x80000000u, 0, EXO_WAIT_BEHIND), FAILS(0x7fffffff, 0, EXO_WAIT_BEHIND);
    HOLDS(0xab0cd, 0xb0, FIELD(EXO_WAIT_IS, 8, 8)), FAILS(0xab1cd, 0xb0, FIELD(EXO_WAIT_IS, 8, 8));
    HOLDS(1u << 31, 1, FIELD(EXO_WAIT_IS, 31, 1)), FAILS(~(1u << 31), 1, FIELD(EXO_WAIT_IS, 31, 1));
    HOLDS(0xffff000f, 0, FIELD(EXO_WAIT_IS, 4, 12)), HOLDS(0xfff, 0xfff, FIELD(EXO_WAIT_FROM, 0, 12));
    HOLDS(7, 7, FIELD(EXO_WAIT_IS, 0, 32)), FAILS(8, 7, FIELD(EXO_WAIT_IS, 0, 32));
    HOLDS(0xfff, 0, FIELD(EXO_WAIT_BEHIND, 0, 12)), FAILS(0x7ff, 0, FIELD(EXO_WAIT_BEHIND, 0, 12)), HOLDS(0xff5, 6, FIELD(EXO_WAIT_BEHIND, 0, 4));
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

CASE(wait_bad_conditions, "conditions that there are not: kinds, fields that end behind the word, values that a field cannot have")
{
    const struct exo_predicate bad[] = {
        {SHARED, 0, EXO_WAIT_BEHIND + 1},         {SHARED, 0, 255},
        {SHARED, 0, FIELD(EXO_WAIT_WORD, 0, 8)},  {SHARED, 0, FIELD(EXO_WAIT_ENDPOINT, 1, 0)},
        {SHARED, 0, FIELD(EXO_WAIT_IS, 1, 32)},   {SHARED, 0, FIELD(EXO_WAIT_IS, 31, 2)},
        {SHARED, 0, FIELD(EXO_WAIT_IS, 32, 1)},   {SHARED, 0, FIELD(EXO_WAIT_IS, 5, 0)},
        {SHARED, 0, FIELD(EXO_WAIT_IS, 0, 33)},   {SHARED, 0, FIELD(EXO_WAIT_IS, 0, 0x8000)},
        {SHARED, 2, FIELD(EXO_WAIT_FROM, 0, 1)},  {SHARED, 256, FIELD(EXO_WAIT_BELOW, 3, 8)},
        {SHARED + 2, 0, EXO_WAIT_IS},             {SHARED, 0, UINT32_MAX},
    };
    const struct exo_predicate nowhere = {0x10000000000ul, 0, EXO_WAIT_IS};

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT(exo_wait(&bad[i], 1, EXO_DEADLINE_NEVER), -EXO_E_INVAL);
    EXPECT(exo_wait(&nowhere, 1, EXO_DEADLINE_NEVER), -EXO_E_FAULT);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

/* Ends with 50 and the index of what does not hold; says in word 8 that it is about to sleep. */
static void sleeper(uint64_t kinds)
{
    const struct exo_predicate predicates[3] = {
        {SHARED, 3, (uint32_t)kinds}, {SHARED + 4, 1, EXO_WAIT_FROM}, {SHARED, 100, EXO_WAIT_BELOW}};
    int64_t status;

    words[8]++;
    status = exo_wait(predicates, kinds >> 32, EXO_DEADLINE_NEVER);
    child_exit(status < 0 ? (uint64_t)-status : 50 + (uint64_t)status);
}

static struct child asleep(uint32_t kind, uint64_t count)
{
    return child_asleep(sleeper, kind | count << 32, SHARED, &words[8]);
}

CASE(wait_false_wakes, "a wake that finds the condition as it was ends no sleep, nor counts; who sleeps while the word is the same is woken by any")
{
    struct child picky, plain;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    words[0] = 3, words[1] = 1;
    picky = asleep(EXO_WAIT_IS, 1);
    EXPECT(exo_wake((void *)SHARED, 1), 0);
    EXPECT(exo_wake((void *)SHARED, UINT64_MAX), 0);
    words[0] = 4, words[0] = 3; /* it was another for a moment, and nobody was woken then */
    EXPECT(exo_wake((void *)SHARED, 1), 0);
    plain = asleep(EXO_WAIT_WORD, 1); /* stands behind */
    EXPECT(exo_wake((void *)SHARED, 1), 1);
    EXPECT((int64_t)child_result(&plain), 50);
    words[0] = 4;
    EXPECT(exo_wake((void *)SHARED, 1), 1);
    EXPECT((int64_t)child_result(&picky), 50);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

CASE(wait_several, "of several conditions the one that does not hold ends the wait, also of two on the same word, the first of which still holds")
{
    struct child child;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    words[0] = 3, words[1] = 2;
    child = asleep(EXO_WAIT_FROM, 3);
    words[0] = 99;
    EXPECT(exo_wake((void *)SHARED, 8), 0);
    words[1] = 1;
    EXPECT(exo_wake((void *)(SHARED + 4), 8), 0);
    words[0] = 100; /* predicate 0 holds, predicate 2 does not */
    EXPECT(exo_wake((void *)SHARED, 8), 1);
    EXPECT((int64_t)child_result(&child), 52);
    words[0] = 3;
    child = asleep(EXO_WAIT_FROM, 3);
    words[1] = 0;
    EXPECT(exo_wake((void *)(SHARED + 4), 8), 1);
    EXPECT((int64_t)child_result(&child), 51);
    EXPECT(exo_wake((void *)SHARED, 8), 0); /* it stands nowhere any more */
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

CASE(wait_tally, "who sleeps while a tally counts anybody sleeps on when there are more or fewer of them, and is woken when there is nobody")
{
    uint64_t tally, copies[3];
    struct child child;

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    tally = (uint64_t)MUST(exo_tally_create((void *)(SHARED + 4)));
    words[0] = 3;
    child = asleep(EXO_WAIT_IS, 2);
    for (unsigned i = 0; i < 3; i++)
        copies[i] = (uint64_t)MUST(exo_cap_derive(SELF, 0, tally, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER));
    for (unsigned i = 0; i < 3; i++)
        EXPECT(exo_cap_delete(copies[i]), 0);
    bare_settle();
    EXPECT((int64_t)words[1], 1);
    EXPECT(exo_ctx_stop(child.context), 0); /* it sleeps: this is what ends it */
    EXPECT(exo_ctx_start(child.context), 0);
    EXPECT((int64_t)child_result(&child), EXO_E_EVENT);
    child = asleep(EXO_WAIT_IS, 2);
    EXPECT(exo_cap_delete(tally), 0);
    EXPECT((int64_t)child_result(&child), 51);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}
