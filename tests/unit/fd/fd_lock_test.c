/*
 * Locks in shared memory: taken, contended by real processes, and taken over from holders that have died; and the debug build's look at their order.
 */
#define PX_RANKS 1
#include <exo/abi.h>

/* Instead of px_page.h: GS is no process's to set on ExoV6. */
#define PX_PAGE_H
static _Alignas(4096) struct exo_upage context_page;
static inline struct exo_upage *px_upage(void)
{
    return &context_page;
}
#include "fake.h"

#include "libos/posix/entry/thread.h"
#include "libos/posix/fd/lock.c"
#include "libos/posix/fd/rank.c"

#define WORD ((uint32_t *)PX_SHARED)

static void takes_and_gives(void)
{
    *WORD = 0;
    px_lock_take(WORD, PX_RANK_RING);
    EQUAL(*WORD, px_lock_self);
    px_lock_give(WORD);
    EQUAL(*WORD, 0);
    EQUAL(fake_wakes, 0);
}

static void wakes_only_who_waits(void)
{
    px_lock_take(WORD, PX_RANK_RING);
    *WORD |= PX_LOCK_WAITERS;
    fake_wakes = 0;
    px_lock_give(WORD);
    EQUAL(fake_wakes, 1);
}

/* Dead in every way that a holder can be: gone, a zombie, its index used again, and words that name nobody.
 */
static void takes_over_from_the_dead(void)
{
    const uint32_t dead[] = {
        PX_LOCK_HOLDER(9, 3),  PX_LOCK_HOLDER(9, 3) | PX_LOCK_WAITERS,
        PX_LOCK_HOLDER(10, 4), PX_LOCK_HOLDER(11, 5),
        PX_LOCK_HOLDER(0, 1),  PX_LOCK_HOLDER(PX_PROCS_MAX, 1),
        0x12340000u,           PX_LOCK_WAITERS,
    };

    fake_process(9, 3, PX_FREE);
    fake_process(10, 4, PX_ZOMBIE);
    fake_process(11, 6, PX_RUNNING); /* another generation */
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++) {
        *WORD = dead[i];
        px_lock_take(WORD, PX_RANK_RING);
        EQUAL(*WORD & ~PX_LOCK_WAITERS, px_lock_self);
        px_lock_give(WORD);
        EQUAL(*WORD, 0);
    }
}

static unsigned looks;
static bool dies_at_third_look(void)
{
    if (++looks == 3)
        PX_PROC(fake_table, 9)->state = PX_ZOMBIE;
    return true;
}

/* A live holder is waited for; when it dies in the middle the lock comes over, though nobody gives a wake for
 * that. */
static void waits_for_the_living(void)
{
    fake_process(9, 3, PX_RUNNING);
    *WORD = PX_LOCK_HOLDER(9, 3);
    looks = 0;
    fake_wait_hook = dies_at_third_look;
    px_lock_take(WORD, PX_RANK_RING);
    fake_wait_hook = NULL;
    EQUAL(looks, 3);
    EQUAL(*WORD & ~PX_LOCK_WAITERS, px_lock_self);
    px_lock_give(WORD);
}

/* The terminal server is never taken for dead. */
static bool tty_gives(void)
{
    CHECK(*WORD == (0xffffu | PX_LOCK_WAITERS));
    *WORD = 0;
    return true;
}

static void respects_the_server(void)
{
    *WORD = 0xffff;
    fake_wait_hook = tty_gives;
    px_lock_take(WORD, PX_RANK_RING);
    fake_wait_hook = NULL;
    EQUAL(*WORD,
          px_lock_self |
              PX_LOCK_WAITERS); /* others may wait: the next gives a wake too many rather than one too few */
    px_lock_give(WORD);
}

#define CHILDREN 3u
#define TURNS 20000u

static bool let_others_run(void)
{
    sched_yield();
    return true;
}

/* Real processes count together under the lock. One dies while it holds it, now and then. */
static void excludes(void)
{
    volatile uint64_t *counter = (volatile uint64_t *)(PX_SHARED + 64);

    *WORD = 0;
    *counter = 0;
    fake_wait_hook = let_others_run;
    for (uint32_t child = 0; child < CHILDREN; child++) {
        fake_process(20 + child, child, PX_RUNNING);
        if (fork() == 0) {
            fake_page.index = (int32_t)(20 + child);
            px_lock_start();
            for (unsigned i = 0; i < TURNS; i++) {
                px_lock_take(WORD, PX_RANK_RING);
                *counter = *counter + 1;
                px_lock_give(WORD);
            }
            px_lock_take(WORD, PX_RANK_RING);
            _exit(0); /* with the lock: the next must get it once we are known to be dead */
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        int status;
        int pid = wait(&status);

        CHECK(pid > 0);
        EQUAL(status, 0);
        PX_PROC(fake_table, PX_LOCK_INDEX(*WORD))->state = PX_ZOMBIE;
    }
    px_lock_take(WORD, PX_RANK_RING);
    EQUAL(*counter, CHILDREN * TURNS);
    px_lock_give(WORD);
    fake_wait_hook = NULL;
}

/* ---- the order of locks ---- */

void px_log(const char *format, ...)
{
    (void)format;
}
_Noreturn void px_exit(int status)
{
    _exit(status);
}

static void ordered(void)
{
    *WORD = WORD[1] = WORD[2] = WORD[3] = 0;
    for (unsigned turn = 0; turn < 10; turn++) {
        px_lock_take(&WORD[1], PX_RANK_POSITION);
        px_lock_take(&WORD[2], PX_RANK_POSITION);
        px_lock_take(WORD, PX_RANK_RING); /* lower, but later */
        px_lock_take(&WORD[3], PX_RANK_RECORDS);
        px_lock_give(&WORD[1 + turn % 3]); /* in any order */
        px_lock_give(WORD);
        px_lock_give(&WORD[1 + (turn + 1) % 3]);
        px_lock_give(&WORD[1 + (turn + 2) % 3]);
    }
    px_lock_take(WORD, PX_RANK_RING);
    px_thread()->tid++; /* the thread ended, another one has its number */
    px_lock_take(&WORD[1], PX_RANK_POSITION);
    px_lock_give(&WORD[1]);
    px_lock_take(WORD, PX_RANK_RECORDS); /* left over */
    px_lock_start(); /* a child holds nothing */
    px_lock_take(&WORD[1], PX_RANK_POSITION);
    px_lock_give(&WORD[1]);
    *WORD = 0;
}

/* What a process becomes that takes the first lock, and then the second. */
static int end_of(uint32_t *first, enum px_rank first_rank, uint32_t *second, enum px_rank second_rank)
{
    int status;

    if (fork() == 0) {
        px_lock_take(first, first_rank);
        px_lock_take(second, second_rank);
        px_lock_give(first);
        px_lock_give(second);
        _exit(0);
    }
    CHECK(wait(&status) > 0);
    *first = *second = 0;
    return status >> 8;
}

static void disordered(void)
{
    EQUAL(end_of(WORD, PX_RANK_POSITION, &WORD[1], PX_RANK_COUNTER), 0);
    EQUAL(end_of(WORD, PX_RANK_RING, &WORD[1], PX_RANK_POSITION), SIGABRT);
    EQUAL(end_of(WORD, PX_RANK_RECORDS, &WORD[1], PX_RANK_RING), SIGABRT);
    EQUAL(end_of(&WORD[1], PX_RANK_RING, WORD, PX_RANK_RING), SIGABRT);
    EQUAL(end_of(WORD, PX_RANK_RING, &WORD[1], PX_RANK_RING), 0);
    EQUAL(end_of(WORD, PX_RANK_POSITION, WORD, PX_RANK_RING), SIGABRT); /* the same one twice */
}

static int end_of_sleep(bool gives)
{
    int status;

    if (fork() == 0) {
        px_lock_take(WORD, PX_RANK_POSITION);
        if (gives)
            px_lock_give(WORD);
        px_rank_sleeping();
        _exit(0);
    }
    CHECK(wait(&status) > 0);
    *WORD = 0;
    return status >> 8;
}

static void slept_with(void)
{
    EQUAL(end_of_sleep(true), 0);
    EQUAL(end_of_sleep(false), SIGABRT);
}

static void given_but_not_taken(void)
{
    struct px_ranks ranks_of_one = {.tid = 1};

    CHECK(px_rank_remove(&ranks_of_one, WORD) != NULL);
    for (unsigned i = 0; i < PX_RANKS_HELD; i++)
        CHECK(px_rank_add(&ranks_of_one, &WORD[i], PX_RANK_RING) == NULL);
    CHECK(px_rank_add(&ranks_of_one, &WORD[PX_RANKS_HELD], PX_RANK_RING) != NULL);
    CHECK(px_rank_remove(&ranks_of_one, WORD) == NULL && px_rank_remove(&ranks_of_one, WORD) != NULL);
}

int main(void)
{
    fake_start();
    px_lock_start();
    takes_and_gives();
    wakes_only_who_waits();
    takes_over_from_the_dead();
    waits_for_the_living();
    respects_the_server();
    excludes();
    ordered();
    disordered();
    slept_with();
    given_but_not_taken();
    printf("lock: ok\n");
    return 0;
}
