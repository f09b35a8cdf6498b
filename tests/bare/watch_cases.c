/* Watches: places that wait in somebody's stead, what is told of them, in which order, to whom, and what a bad argument changes. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED AREA(71)
#define OTHERS AREA(72)
#define FIELD(kind, first, bits) ((uint32_t)(kind) | (uint32_t)(first) << 8 | (uint32_t)(bits) << 16)

/* A word of the page: 0 to 7 are waited at, the others are what watches write. */
#define AT(n) ((void *)(SHARED + 4 * (n)))
#define BITS 16u
#define TOLD 17u
static volatile uint32_t *const words = (volatile uint32_t *)SHARED;

static uint64_t watch_at(unsigned bits, unsigned told)
{
    return (uint64_t)MUST(exo_watch_create(AT(bits), AT(told)));
}

static int64_t place(uint64_t watch, uint64_t number, unsigned word, uint32_t value)
{
    const struct exo_predicate predicate = {SHARED + 4 * word, value, EXO_WAIT_WORD};

    return exo_watch_place(watch, number, &predicate, 1);
}

static void begin(void)
{
    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
}

static void finish(uint64_t watch)
{
    EXPECT(exo_cap_delete(watch), 0);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

CASE(watch_tells, "a wake ends the wait of each place at the word, once; the bit and the number are there when it returns")
{
    uint64_t watch;

    begin();
    watch = watch_at(BITS, TOLD);
    EXPECT(place(watch, 0, 0, 0), 1);
    EXPECT(place(watch, 5, 0, 0), 1);
    EXPECT(place(watch, EXO_WATCH_PLACES - 1, 1, 0), 1);
    EXPECT(exo_wake(AT(2), 1), 0);
    CHECK(words[BITS] == 0 && words[TOLD] == 0);
    EXPECT(exo_wake(AT(0), 0), 0); /* nobody was to be woken */
    CHECK(words[BITS] == 0);
    EXPECT(exo_wake(AT(0), 1), 0); /* places do not count */
    CHECK(words[BITS] == (1 | 1u << 5) && words[TOLD] == 2);
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[TOLD] == 2); /* they wait no more */
    words[BITS] = 0;
    EXPECT(exo_wake(AT(1), 7), 0);
    CHECK(words[BITS] == 1u << (EXO_WATCH_PLACES - 1) && words[TOLD] == 3);
    words[TOLD] = UINT32_MAX; /* whose words they are may write there */
    EXPECT(place(watch, 1, 0, 0), 1);
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[BITS] == (2 | 1u << (EXO_WATCH_PLACES - 1)) && words[TOLD] == 0);
    finish(watch);
}

CASE(watch_words, "a place waits on up to three words, and leaves all of them when one is woken; set anew it forgets what it waited for")
{
    uint64_t watch;
    struct exo_predicate three[EXO_WATCH_WORDS];

    begin();
    watch = watch_at(BITS, TOLD);
    for (unsigned i = 0; i < EXO_WATCH_WORDS; i++)
        three[i] = (struct exo_predicate){SHARED + 4 * i, 0, EXO_WAIT_WORD};
    EXPECT(exo_watch_place(watch, 3, three, EXO_WATCH_WORDS), EXO_WATCH_WORDS);
    EXPECT(exo_wake(AT(1), 1), 0);
    CHECK(words[BITS] == 1u << 3 && words[TOLD] == 1);
    EXPECT(exo_wake(AT(0), 1), 0);
    EXPECT(exo_wake(AT(2), 1), 0);
    CHECK(words[TOLD] == 1);
    EXPECT(exo_watch_place(watch, 3, three, EXO_WATCH_WORDS), EXO_WATCH_WORDS);
    EXPECT(place(watch, 3, 6, 0), 1);
    EXPECT(exo_wake(AT(1), 1), 0);
    CHECK(words[TOLD] == 1);
    EXPECT(exo_watch_place(watch, 3, NULL, 0), 0);
    EXPECT(exo_wake(AT(6), 1), 0);
    CHECK(words[TOLD] == 1);
    three[1] = three[2] = three[0]; /* the same word: told once */
    EXPECT(exo_watch_place(watch, 3, three, EXO_WATCH_WORDS), EXO_WATCH_WORDS);
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[TOLD] == 2);
    finish(watch);
}

CASE(watch_together, "two watches that tell by one word, once each: it changes twice")
{
    uint64_t first, second;

    begin();
    first = watch_at(BITS, TOLD);
    second = watch_at(BITS + 2, TOLD);
    EXPECT(place(first, 0, 0, 0), 1);
    EXPECT(place(second, 0, 1, 0), 1);
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[TOLD] == 1);
    EXPECT(exo_wake(AT(1), 1), 0);
    CHECK(words[TOLD] == 2 && words[BITS] == 1 && words[BITS + 2] == 1);
    EXPECT(exo_cap_delete(first), 0);
    finish(second);
}

CASE(watch_late, "what does not hold when the place is set is not waited for, and no bit tells of it: the answer does")
{
    uint64_t watch;
    const struct exo_predicate two[2] = {{SHARED, 0, EXO_WAIT_WORD}, {SHARED + 4, 9, EXO_WAIT_WORD}};

    begin();
    watch = watch_at(BITS, TOLD);
    EXPECT(place(watch, 0, 0, 1), 0);
    EXPECT(place(watch, 0, 0, 0), 1);
    EXPECT(exo_watch_place(watch, 0, two, 2), 0); /* and what it waited for is forgotten */
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[BITS] == 0 && words[TOLD] == 0);
    finish(watch);
}

CASE(watch_conditions, "a wake that finds a place's condition as it was ends nothing")
{
    uint64_t watch;
    const struct exo_predicate field = {SHARED, 3, FIELD(EXO_WAIT_BELOW, 8, 8)};

    begin();
    watch = watch_at(BITS, TOLD);
    EXPECT(exo_watch_place(watch, 2, &field, 1), 1);
    words[0] = 2u << 8 | 0xff;
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[TOLD] == 0);
    words[0] = 3u << 8;
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[TOLD] == 1 && words[BITS] == 4);
    EXPECT(exo_watch_place(watch, 2, &field, 1), 0);
    finish(watch);
}

/* Sleeps until word n is not 0, and ends with 50. */
static void sleeper(uint64_t n)
{
    int64_t status;

    words[8]++;
    status = exo_wait_word((void *)(SHARED + 4 * n), 0, EXO_DEADLINE_NEVER, 0, 0);
    child_exit(status < 0 ? (uint64_t)-status : 50 + (uint64_t)status);
}

static struct child asleep(uint64_t n)
{
    return child_asleep(sleeper, n, SHARED, &words[8]);
}

CASE(watch_wakes, "who sleeps on the word that tells is woken; who sleeps on the watched word itself does not lose a wake to a place")
{
    struct child on_told, on_word;
    uint64_t watch;

    begin();
    watch = watch_at(BITS, TOLD);
    EXPECT(place(watch, 0, 0, 0), 1);
    on_told = asleep(TOLD);
    on_word = asleep(0);
    EXPECT(exo_wake(AT(0), 1), 1);
    EXPECT((int64_t)child_result(&on_word), 50);
    EXPECT((int64_t)child_result(&on_told), 50);
    CHECK(words[TOLD] == 1);
    finish(watch);
}

CASE(watch_tally, "a tally's change is a wake")
{
    uint64_t watch, tally, copy;

    begin();
    watch = watch_at(BITS, TOLD);
    tally = (uint64_t)MUST(exo_tally_create(AT(0)));
    EXPECT(place(watch, 0, 0, 1), 1);
    copy = (uint64_t)MUST(exo_cap_derive(SELF, 0, tally, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER));
    CHECK(words[TOLD] == 1 && words[BITS] == 1);
    EXPECT(exo_cap_delete(copy), 0);
    EXPECT(exo_cap_delete(tally), 0);
    finish(watch);
}

CASE(watch_above, "watches above watches: each tells the next, to the last; a ring of them tells each once")
{
    enum { CHAIN = 40 };
    uint64_t watch[CHAIN];

    begin();
    for (unsigned i = 0; i < CHAIN; i++)
        watch[i] = watch_at(100 + i, 200 + i);
    EXPECT(place(watch[0], 0, 0, 0), 1);
    for (unsigned i = 1; i < CHAIN; i++)
        EXPECT(place(watch[i], i % EXO_WATCH_PLACES, 200 + i - 1, 0), 1);
    EXPECT(place(watch[0], 7, 200 + CHAIN - 1, 0), 1); /* closes the ring */
    EXPECT(place(watch[5], 23, 205, 0), 1);            /* and this one waits for itself */
    EXPECT(exo_wake(AT(0), 1), 0);
    bare_settle();
    for (unsigned i = 1; i < CHAIN; i++)
        CHECK(words[200 + i] == (i == 5 ? 2 : 1) && words[100 + i] & 1u << i % EXO_WATCH_PLACES);
    CHECK(words[200] == 2 && words[100] == (1 | 1u << 7));
    for (unsigned i = 0; i < CHAIN; i++)
        EXPECT(exo_cap_delete(watch[i]), 0);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

CASE(watch_crowd, "more places wait for a word than are woken at one entry; all are told, and so is who sleeps")
{
    enum { WATCHES = 30, ALL = WATCHES * EXO_WATCH_PLACES };
    uint64_t watch[WATCHES], total, limit = bare_now() + 60000000000ul;
    struct child child;

    begin();
    for (unsigned i = 0; i < WATCHES; i++) {
        watch[i] = watch_at(100 + i, 200 + i);
        for (unsigned p = 0; p < EXO_WATCH_PLACES; p++)
            EXPECT(place(watch[i], p, 0, 0), 1);
    }
    child = asleep(200 + WATCHES - 1);
    EXPECT(exo_wake(AT(0), 1), 0);
    do {
        bare_settle();
        total = 0;
        for (unsigned i = 0; i < WATCHES; i++)
            total += words[200 + i];
    } while (total < ALL && bare_now() < limit);
    EXPECT((int64_t)total, ALL);
    for (unsigned i = 0; i < WATCHES; i++)
        CHECK(words[100 + i] == (1u << EXO_WATCH_PLACES) - 1);
    EXPECT((int64_t)child_result(&child), 50);
    for (unsigned i = 0; i < WATCHES; i++)
        EXPECT(exo_cap_delete(watch[i]), 0);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

CASE(watch_gone, "a watch that is gone tells nobody, and the frames of its words and of those it waited at are free again")
{
    uint64_t watch, before = bare_zone_used(ZONE);

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    EXPECT(exo_alloc_all(SELF, OTHERS, 2, RW, NULL), 0);
    watch = (uint64_t)MUST(exo_watch_create((void *)OTHERS, (void *)(OTHERS + 4096)));
    EXPECT(place(watch, 0, 0, 0), 1);
    EXPECT(place(watch, 1, 1, 0), 1);
    EXPECT(exo_cap_delete(watch), 0);
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(*(volatile uint32_t *)OTHERS == 0 && *(volatile uint32_t *)(OTHERS + 4096) == 0);
    watch = (uint64_t)MUST(exo_watch_create((void *)OTHERS, (void *)(OTHERS + 4096)));
    EXPECT(place(watch, 0, 0, 0), 1);
    EXPECT(exo_unmap_all(SELF, OTHERS, 2), 0); /* it holds them */
    EXPECT(exo_wake(AT(0), 1), 0);
    EXPECT(place(watch, 0, 0, 0), 1);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
    EXPECT(exo_cap_delete(watch), 0);
    bare_settle();
    CHECK(bare_zone_used(ZONE) <= before + 1); /* page tables stay */
}

/* Sets a place at a watch of somebody else's, for a word of its own, and wakes it. */
static void distant(uint64_t watch)
{
    static uint32_t own;
    const struct exo_predicate predicate = {(uint64_t)&own, 0, EXO_WAIT_WORD};

    if (exo_watch_place(watch, 9, &predicate, 1) != 1)
        child_exit(1);
    (void)!exo_wake(&own, 1);
    child_exit(50);
}

CASE(watch_given, "who is given a watch has it wait for words of his own, and writes nothing of its maker's but bits")
{
    uint64_t watch;
    struct child child;

    begin();
    watch = watch_at(BITS, TOLD);
    child = child_new(distant, 30);
    EXPECT(exo_cap_copy(child.env, 30, watch, EXO_RIGHT_NOTIFY, 0), 30);
    child_start(&child);
    EXPECT((int64_t)child_result(&child), 50);
    CHECK(words[BITS] == 1u << 9 && words[TOLD] == 1);
    finish(watch);
}

CASE(watch_misuse, "words that are not one's own, places, words and conditions that there are not: an error changes nothing")
{
    const struct exo_predicate good = {SHARED, 0, EXO_WAIT_WORD},
                               bad[] = {{SHARED + 1, 0, EXO_WAIT_WORD}, {SHARED, 0, EXO_WAIT_ENDPOINT}, {SHARED, 0, 7}, {SHARED, 2, FIELD(EXO_WAIT_IS, 0, 1)}},
                               nowhere = {0x10000000000ul, 0, EXO_WAIT_WORD};
    struct exo_predicate many[EXO_WATCH_WORDS + 1] = {{0}};
    uint64_t watch, weak;

    begin();
    EXPECT(exo_alloc_all(SELF, OTHERS, 1, EXO_PROT_READ, NULL), 0);
    EXPECT(exo_watch_create((void *)(SHARED + 2), AT(TOLD)), -EXO_E_ALIGN);
    EXPECT(exo_watch_create(AT(BITS), (void *)(SHARED + 1)), -EXO_E_ALIGN);
    EXPECT(exo_watch_create((void *)OTHERS, AT(TOLD)), -EXO_E_FAULT);
    EXPECT(exo_watch_create(AT(BITS), (void *)OTHERS), -EXO_E_FAULT);
    EXPECT(exo_watch_create(NULL, AT(TOLD)), -EXO_E_FAULT);
    EXPECT(exo_watch_create((void *)(EXO_USER_TOP), AT(TOLD)), -EXO_E_FAULT);
    EXPECT(exo_watch_create((void *)-4l, AT(TOLD)), -EXO_E_FAULT);
    watch = watch_at(BITS, TOLD);
    EXPECT(exo_watch_place(watch, 0, &good, 1), 1);
    EXPECT(exo_watch_place(watch, EXO_WATCH_PLACES, &good, 1), -EXO_E_INVAL);
    EXPECT(exo_watch_place(watch, ~0ull, &good, 1), -EXO_E_INVAL);
    EXPECT(exo_watch_place(watch, 0, many, EXO_WATCH_WORDS + 1), -EXO_E_INVAL);
    EXPECT(exo_watch_place(watch, 0, many, ~0ull), -EXO_E_INVAL);
    EXPECT(exo_watch_place(watch, 0, NULL, 1), -EXO_E_FAULT);
    EXPECT(exo_watch_place(watch, 0, (const struct exo_predicate *)-16l, 1), -EXO_E_FAULT);
    EXPECT(exo_watch_place(watch, 0, &nowhere, 1), -EXO_E_FAULT);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        many[0] = good;
        many[1] = bad[i];
        EXPECT(exo_watch_place(watch, 0, many, 2), -EXO_E_INVAL);
    }
    EXPECT(exo_watch_place(SELF, 0, &good, 1), -EXO_E_TYPE);
    EXPECT(exo_watch_place(0xfff0, 0, &good, 1), -EXO_E_BADSLOT);
    weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, watch, EXO_RIGHT_COPY, 0));
    EXPECT(exo_watch_place(weak, 0, &good, 1), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete(weak), 0);
    EXPECT(exo_wake(AT(0), 1), 0);
    CHECK(words[TOLD] == 1 && words[BITS] == 1); /* it waited on through all that */
    EXPECT(exo_unmap_all(SELF, OTHERS, 1), 0);
    finish(watch);
}
