/*
 * Locks in shared memory: taken, contended by real processes, and taken over from holders that have died.
 */
#include "fake.h"

#include "libos/posix/fd/lock.c"

#define WORD ((uint32_t *)PX_SHARED)

static void takes_and_gives(void)
{
    *WORD = 0;
    px_lock_take(WORD);
    EQUAL(*WORD, px_lock_self);
    px_lock_give(WORD);
    EQUAL(*WORD, 0);
    EQUAL(fake_wakes, 0);
}

static void wakes_only_who_waits(void)
{
    *WORD = px_lock_self | PX_LOCK_WAITERS;
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
        px_lock_take(WORD);
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
    px_lock_take(WORD);
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
    px_lock_take(WORD);
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
                px_lock_take(WORD);
                *counter = *counter + 1;
                px_lock_give(WORD);
            }
            px_lock_take(WORD);
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
    px_lock_take(WORD);
    EQUAL(*counter, CHILDREN * TURNS);
    px_lock_give(WORD);
    fake_wait_hook = NULL;
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
    printf("lock: ok\n");
    return 0;
}
