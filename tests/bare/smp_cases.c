/* What must hold when others run at the very same time: on one processor these pass, too, but say little. */
#include <exo/fast.h>

#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED AREA(64)
#define PAGE EXO_PAGE_BYTES
#define PAGES 40u /* more than are flushed one by one */
#define ROUNDS 60u

struct smp_page {
    uint32_t go, turn;
    uint32_t rounds, wrong;
};

static volatile struct smp_page *shared(void)
{
    return (volatile struct smp_page *)SHARED;
}

static struct child shared_child(void (*function)(uint64_t), uint64_t argument)
{
    struct child child = upcall_child(function, argument);

    EXPECT(exo_alloc_all(SELF, SHARED, 1, RW, NULL), 0);
    EXPECT(exo_share_all(child.env, SHARED, SHARED, 1, EXO_SHARE_SAME | RW), 0);
    return child;
}

static void shared_end(const struct child *child)
{
    (void)!exo_env_destroy(child->env, 0);
    EXPECT((int64_t)child_end(child), EXO_REASON_DESTROYED);
    EXPECT(exo_unmap_all(SELF, SHARED, 1), 0);
}

static void until_it_moves(volatile uint32_t *word)
{
    uint32_t before = *word;
    uint64_t limit = bare_now() + 3000000000ul;

    while (*word == before && bare_now() < limit)
        (void)!exo_yield();
    CHECK(*word != before);
}

static bool stays(const volatile uint32_t *words)
{
    uint32_t before[PAGES];

    for (unsigned i = 0; i < PAGES; i++)
        before[i] = words[i * PAGE / sizeof(*words)];
    for (unsigned again = 0; again < 200; again++)
        for (unsigned i = 0; i < PAGES; i++)
            if (words[i * PAGE / sizeof(*words)] != before[i])
                return false;
    return true;
}

/* Writes to all pages; where one is missing, its upcall handler gets another. */
static void write_pages(uint64_t unused)
{
    volatile uint32_t *words = (volatile uint32_t *)AREA(0);

    (void)unused;
    for (;;) {
        for (unsigned i = 0; i < PAGES; i++)
            words[i * PAGE / sizeof(*words)]++;
        shared()->rounds++;
    }
}

static void unmap_all_of(uint64_t env)
{
    EXPECT(exo_unmap_all(env, AREA(0), PAGES), 0);
}

/* The child keeps none of the pages that it gets itself: they are unmapped until ours can be mapped. */
static void map_ours(uint64_t env, uint64_t frame)
{
    uint64_t first = 0;

    while (first < PAGES) {
        int64_t done = exo_mem_map(env, AREA(0) + first * PAGE, frame, first, PAGES - first, RW);

        if (done == -EXO_E_EXISTS)
            EXPECT(exo_unmap_all(env, AREA(0) + first * PAGE, 1), 0);
        else
            first += (uint64_t)MUST(done);
    }
}

CASE(no_stale_writes, "processors: a page that was unmapped is written to no more, whoever was just writing")
{
    int64_t frame = MUST(exo_frame_alloc(ZONE, PAGES));
    struct child child = shared_child(write_pages, 0);
    unsigned stale = 0;

    EXPECT(exo_map_all(SELF, AREA(2), (uint64_t)frame, 0, PAGES, RW), 0);
    child_start(&child);
    for (unsigned round = 0; round < ROUNDS; round++) {
        map_ours(child.env, (uint64_t)frame);
        until_it_moves((volatile uint32_t *)&shared()->rounds);
        unmap_all_of(child.env);
        stale += !stays((const volatile uint32_t *)AREA(2));
    }
    EXPECT(stale, 0);
    shared_end(&child);
    EXPECT(exo_unmap_all(SELF, AREA(2), PAGES), 0);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
}

CASE(no_stale_protection, "processors: a page that was made read-only, and one whose writer was stopped, is written to no more")
{
    struct child child = shared_child(write_pages, 0);
    unsigned stale = 0;

    EXPECT(exo_alloc_all(SELF, AREA(2), PAGES, RW, NULL), 0);
    EXPECT(exo_share_all(child.env, AREA(0), AREA(2), PAGES, EXO_SHARE_SAME | RW), 0);
    child_start(&child);
    for (unsigned round = 0; round < ROUNDS; round++) {
        until_it_moves((volatile uint32_t *)&shared()->rounds);
        EXPECT(exo_ctx_stop(child.context), 0);
        stale += !stays((const volatile uint32_t *)AREA(2)); /* it is stopped */
        EXPECT(exo_ctx_start(child.context), 0);
        until_it_moves((volatile uint32_t *)&shared()->rounds);
        EXPECT(exo_protect_all(child.env, AREA(0), PAGES, EXO_PROT_READ), 0); /* it faults until this is over */
        stale += !stays((const volatile uint32_t *)AREA(2));
        EXPECT(exo_protect_all(child.env, AREA(0), PAGES, RW), 0);
    }
    EXPECT(stale, 0);
    shared_end(&child);
    EXPECT(exo_unmap_all(SELF, AREA(2), PAGES), 0);
}

CASE(no_stale_owner, "processors: a page that others get next is not written to by who had it")
{
    struct child child = shared_child(write_pages, 0);
    unsigned stale = 0;

    child_start(&child);
    for (unsigned round = 0; round < ROUNDS; round++) {
        until_it_moves((volatile uint32_t *)&shared()->rounds);
        unmap_all_of(child.env);
        EXPECT(exo_alloc_all(SELF, AREA(2), PAGES, RW, NULL), 0); /* the same frames, as a rule */
        stale += !stays((const volatile uint32_t *)AREA(2));
        EXPECT(exo_unmap_all(SELF, AREA(2), PAGES), 0);
    }
    EXPECT(stale, 0);
    shared_end(&child);
}

/* Calls of which each answer is known. */
static void call_much(uint64_t unused)
{
    (void)unused;
    for (;;) {
        struct exo_cap_info text = {0};

        if (exo_cap_info(SELF, &text) != 0 || text.type != EXO_TYPE_ENV || exo_cap_info(0xffff, &text) >= 0)
            shared()->wrong++;
        shared()->rounds++;
    }
}

CASE(stopped_anywhere, "processors: a context that is stopped in the middle of calls makes each of them once, and reads as it is")
{
    struct child child = shared_child(call_much, 0);
    struct exo_ctx_state state, again;

    EXPECT(exo_cap_derive(child.env, SELF, child.env, EXO_RIGHTS_ALL, 0, EXO_DEADLINE_NEVER), -EXO_E_EXISTS);
    child_start(&child);
    for (unsigned round = 0; round < 10 * ROUNDS; round++) {
        if (round % 10 == 0)
            until_it_moves((volatile uint32_t *)&shared()->rounds);
        EXPECT(exo_ctx_stop(child.context), 0);
        EXPECT(exo_ctx_read(child.context, &state), 0);
        EXPECT(exo_ctx_read(child.context, &again), 0);
        CHECK(memcmp(&state, &again, sizeof(state)) == 0);
        EXPECT(exo_ctx_write(child.context, &state), 0);
        EXPECT(exo_ctx_start(child.context), 0);
    }
    EXPECT((int64_t)shared()->wrong, 0);
    shared_end(&child);
}

enum { CHILD_ENDPOINT = 20 };

static void answer_all(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (;;) {
        (void)!exo_fast_reply_wait(CHILD_ENDPOINT, &message);
        message.word[0] = message.word[0] * 3 + message.word[4];
        shared()->turn++;
    }
}

static void call_and_check(uint64_t number)
{
    struct exo_message message;
    int64_t status;

    for (uint64_t i = number;; i++) {
        message = (struct exo_message){.word = {i, 0, 0, 0, ~i}};
        status = exo_fast_call(CHILD_ENDPOINT, &message);
        if (status == -EXO_E_EVENT || status == -EXO_E_PEER) /* one of the two was stopped */
            continue;
        if (status != 0 || message.word[0] != i * 3 + ~i)
            __atomic_fetch_add(&shared()->wrong, 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&shared()->rounds, 1, __ATOMIC_SEQ_CST);
    }
}

CASE(fast_everywhere, "processors: fast calls from several at once have each its answer, whoever is stopped and started in between")
{
    struct child child[3] = {shared_child(answer_all, 0), upcall_child(call_and_check, 1), upcall_child(call_and_check, 1ul << 40)};
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());

    for (unsigned i = 0; i < 3; i++) {
        EXPECT(exo_cap_copy(child[i].env, CHILD_ENDPOINT, endpoint, i ? EXO_RIGHT_CALL : EXO_RIGHT_RECV, i), CHILD_ENDPOINT);
        if (i)
            EXPECT(exo_share_all(child[i].env, SHARED, SHARED, 1, EXO_SHARE_SAME | RW), 0);
        child_start(&child[i]);
    }
    for (unsigned round = 0; round < 10 * ROUNDS; round++) {
        uint64_t context = child[round % 3].context;

        if (round % 10 == 0)
            until_it_moves((volatile uint32_t *)&shared()->rounds);
        if (round % 3 && round % 2)
            (void)!exo_yield();
        EXPECT(exo_ctx_stop(context), 0);
        EXPECT(exo_ctx_start(context), 0);
    }
    EXPECT(shared()->wrong, 0);
    for (unsigned i = 1; i < 3; i++) {
        (void)!exo_env_destroy(child[i].env, 0);
        EXPECT((int64_t)child_end(&child[i]), EXO_REASON_DESTROYED);
    }
    EXPECT(exo_cap_delete(endpoint), 0);
    shared_end(&child[0]);
}

static void pass_back(uint64_t unused)
{
    (void)unused;
    for (uint32_t turn = 1;; turn += 2) {
        struct exo_predicate predicate = {SHARED + offsetof(struct smp_page, turn), turn - 1, EXO_WAIT_WORD};

        while (shared()->turn != turn)
            (void)!exo_wait(&predicate, 1, EXO_DEADLINE_NEVER);
        shared()->turn = turn + 1;
        (void)!exo_wake((void *)&shared()->turn, 1);
    }
}

CASE(no_lost_wakes, "processors: a word that is passed to and fro two thousand times wakes who waits for it each time")
{
    struct child child = shared_child(pass_back, 0);

    child_start(&child);
    for (uint32_t turn = 0; turn < 4000; turn += 2) {
        struct exo_predicate predicate = {SHARED + offsetof(struct smp_page, turn), turn + 1, EXO_WAIT_WORD};

        shared()->turn = turn + 1;
        (void)!exo_wake((void *)&shared()->turn, 1);
        while (shared()->turn != turn + 2)
            if (exo_wait(&predicate, 1, bare_now() + 20000000000ul) == -EXO_E_TIMEOUT) {
                CHECK(false);
                break;
            }
    }
    shared_end(&child);
}
