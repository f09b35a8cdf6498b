/*
 * Futexes whose waiters are moved to a lock (FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI), waits on several words (futex_waitv), and requeueing of words that
 * other processes share. Runs on Linux as well.
 *
 * guest-test:
 */
#include "thread_help.h"

enum { WAIT_REQUEUE_PI = 11, CMP_REQUEUE_PI = 12, REAL = FUTEX_CLOCK_REALTIME, SYS_WAITV = 449 };
#define WAITERS 0x80000000u
#define FAILS(call, error) ((call) == -1 && errno == (error))

static unsigned words[8]; /* of this process alone */
static unsigned *cond = &words[0], *lock = &words[4], *other = &words[6];
static atomic_int waiting, done, owned;
static int kind = FUTEX_PRIVATE;

static long futex_call(unsigned *at, int operation, unsigned value, const void *time_or_count, unsigned *second, unsigned third)
{
    return syscall(SYS_futex, at, operation, value, time_or_count, second, third);
}

static unsigned self(void)
{
    return (unsigned)syscall(SYS_gettid);
}

static void unlock(void)
{
    unsigned mine = self();

    if (!__atomic_compare_exchange_n(lock, &mine, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        futex_call(lock, FUTEX_UNLOCK_PI | kind, 0, NULL, NULL, 0);
}

static void take(void)
{
    unsigned none = 0;

    if (!__atomic_compare_exchange_n(lock, &none, self(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        futex_call(lock, FUTEX_LOCK_PI | kind, 0, NULL, NULL, 0);
}

/* As a condition variable's waiter: afterwards it has the lock. */
static void *wait_for_lock(void *unused)
{
    long result;

    waiting++;
    result = futex_call(cond, WAIT_REQUEUE_PI | kind, 0, NULL, lock, 0);
    if (result == 0 && (__atomic_load_n(lock, __ATOMIC_SEQ_CST) & ~WAITERS) == self())
        owned++;
    done++;
    if (result == 0)
        unlock();
    return unused;
}

static void settle(void) /* until those who are about to sleep do */
{
    struct timespec some = {.tv_nsec = 30000000};

    nanosleep(&some, NULL);
}

static void begin(pthread_t *threads, unsigned count)
{
    waiting = done = owned = 0;
    *cond = 0;
    for (unsigned i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, wait_for_lock, NULL);
    while (waiting < (int)count)
        sched_yield();
    settle();
}

static long requeue(unsigned wake, unsigned long move, unsigned expected)
{
    return futex_call(cond, CMP_REQUEUE_PI | kind, wake, (const void *)move, lock, expected);
}

static void moved(void)
{
    pthread_t threads[3];
    long woken;

    begin(threads, 3);
    CASE("another value", FAILS(requeue(1, 3, 5), EAGAIN));
    CASE("who wakes wakes one", FAILS(requeue(2, 3, 0), EINVAL) && FAILS(requeue(0, 3, 0), EINVAL));
    CASE("not onto itself", FAILS(futex_call(cond, CMP_REQUEUE_PI | kind, 1, (void *)1, cond, 0), EINVAL));
    CASE("a plain wake is not for them", FAILS(futex_call(cond, FUTEX_WAKE | kind, 1, NULL, NULL, 0), EINVAL));
    CASE("nor for another lock", FAILS(futex_call(cond, CMP_REQUEUE_PI | kind, 1, (void *)1, other, 0), EINVAL));
    take();
    woken = requeue(1, 100, 0);
    CASE("moved to a lock that is held", woken == 3);
    settle();
    CASE("nobody goes on before it is given back", done == 0);
    CASE("and that somebody waits stands there", __atomic_load_n(lock, __ATOMIC_SEQ_CST) == (self() | WAITERS));
    unlock();
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CASE("each has had it", done == 3 && owned == 3 && __atomic_load_n(lock, __ATOMIC_SEQ_CST) == 0);
    begin(threads, 2);
    CASE("a free lock goes to the first", requeue(1, 0, 0) == 1);
    while (done < 1)
        sched_yield();
    CASE("and to nobody else", done == 1 && owned == 1);
    CASE("the next", requeue(1, 0, 0) == 1);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CASE("nobody is left", owned == 2 && requeue(1, 1, 0) == 0);
}

static void waits(void)
{
    struct timespec past = {0}, soon;

    *cond = 0;
    CASE("wait: another value", FAILS(futex_call(cond, WAIT_REQUEUE_PI | kind, 7, NULL, lock, 0), EAGAIN));
    CASE("wait: not onto itself", FAILS(futex_call(cond, WAIT_REQUEUE_PI | kind, 0, NULL, cond, 0), EINVAL));
    CASE("wait: a time that has passed", FAILS(futex_call(cond, WAIT_REQUEUE_PI | kind, 0, &past, lock, 0), ETIMEDOUT));
    CASE("of the real-time clock", FAILS(futex_call(cond, WAIT_REQUEUE_PI | REAL | kind, 0, &past, lock, 0), ETIMEDOUT));
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec += 20000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    CASE("wait: for some time", FAILS(futex_call(cond, WAIT_REQUEUE_PI | kind, 0, &soon, lock, 0), ETIMEDOUT));
    CASE("wait: bad times", FAILS(futex_call(cond, WAIT_REQUEUE_PI | kind, 0, &(struct timespec){.tv_nsec = -1}, lock, 0), EINVAL));
    CASE("the lock is not touched", *lock == 0);
}

/* ---- requeueing of shared words ---- */

static struct shared {
    unsigned cond, to;
    atomic_int waiting, woken;
} *shared;

static void sharers(void)
{
    int status, count = 0;

    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 3; i++)
        if (fork() == 0) {
            shared->waiting++;
            futex_call(&shared->cond, FUTEX_WAIT, 0, NULL, NULL, 0);
            shared->woken++;
            _exit(0);
        }
    while (shared->waiting < 3)
        sched_yield();
    settle();
    CASE("shared: one is woken, none moved", futex_call(&shared->cond, FUTEX_CMP_REQUEUE, 1, (void *)0, &shared->to, 0) == 1);
    (void)!wait(&status);
    settle();
    CASE("the others sleep on", shared->woken == 1);
    CASE("one more", futex_call(&shared->cond, FUTEX_REQUEUE, 1, (void *)0, &shared->to, 0) == 1);
    (void)!wait(&status);
    settle();
    CASE("and no other", shared->woken == 2);
    futex_call(&shared->cond, FUTEX_WAKE, 10, NULL, NULL, 0);
    while (wait(&status) > 0)
        count++;
    CASE("the last", count == 1 && shared->woken == 3);
}

/* ---- several words ---- */

struct waiter {
    uint64_t value;
    unsigned *at;
    unsigned flags, reserved;
};
#define WORD(value, at, flags) {value, at, 2 | (flags), 0}

static long waitv(struct waiter *waiters, unsigned count, unsigned flags, const struct timespec *until, int clock)
{
    return syscall(SYS_WAITV, waiters, count, flags, until, clock);
}

static atomic_long result_of;

static void *wait_for_three(void *unused)
{
    struct waiter three[3] = {WORD(0, &words[1], FUTEX_PRIVATE), WORD(0, &words[2], FUTEX_PRIVATE), WORD(0, &shared->to, 0)};

    waiting++;
    result_of = waitv(three, 3, 0, NULL, 0);
    return unused;
}

static long woken_by(unsigned *at, int flags)
{
    pthread_t thread;
    long woken = 0;

    waiting = 0;
    result_of = -100;
    pthread_create(&thread, NULL, wait_for_three, NULL);
    while (!waiting)
        sched_yield();
    settle();
    woken = futex_call(at, FUTEX_WAKE | flags, 5, NULL, NULL, 0);
    pthread_join(thread, NULL);
    return woken == 1 ? result_of : -200 - woken;
}

static void vectors(void)
{
    struct waiter two[2] = {WORD(0, &words[1], FUTEX_PRIVATE), WORD(0, &words[2], FUTEX_PRIVATE)};
    struct timespec past = {0};

    memset(words, 0, sizeof words);
    shared->to = 0;
    CASE("several: the first", woken_by(&words[1], FUTEX_PRIVATE) == 0);
    CASE("several: the second", woken_by(&words[2], FUTEX_PRIVATE) == 1);
    CASE("several: one that is shared", woken_by(&shared->to, 0) == 2);
    CASE("several: a time that has passed", FAILS(waitv(two, 2, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT));
    CASE("and of the other clock", FAILS(waitv(two, 2, 0, &past, CLOCK_REALTIME), ETIMEDOUT));
    CASE("but of no other", FAILS(waitv(two, 2, 0, &past, CLOCK_BOOTTIME), EINVAL));
    two[1].value = 3;
    CASE("several: another value", FAILS(waitv(two, 2, 0, NULL, 0), EAGAIN));
    CASE("none", FAILS(waitv(two, 0, 0, NULL, 0), EINVAL) && FAILS(waitv(NULL, 1, 0, NULL, 0), EINVAL));
    CASE("too many", FAILS(waitv(two, 129, 0, NULL, 0), EINVAL));
    CASE("no flags", FAILS(waitv(two, 2, 1, NULL, 0), EINVAL));
    two[0].flags = 1;
    CASE("no other sizes", FAILS(waitv(two, 2, 0, NULL, 0), EINVAL));
    two[0].flags = 2;
    two[0].reserved = 1;
    CASE("nothing that is reserved", FAILS(waitv(two, 2, 0, NULL, 0), EINVAL));
    two[0].reserved = 0;
    two[0].at = (unsigned *)8;
    CASE("a bad address", FAILS(waitv(two, 2, 0, NULL, 0), EFAULT));
    CASE("all of them", FAILS(waitv((struct waiter *)8, 2, 0, NULL, 0), EFAULT));
}

int main(void)
{
    moved();
    waits();
    sharers();
    cond = &shared->cond;
    lock = &shared->to;
    kind = 0;
    *cond = *lock = 0;
    CASE("shared words: nobody is there", requeue(1, 1, 0) == 0);
    {
        pthread_t threads[3];

        begin(threads, 3);
        take();
        CASE("shared words: woken or moved", requeue(1, 100, 0) == 3);
        settle();
        CASE("shared words: nobody goes on before it is given back", done == 0);
        unlock();
        for (unsigned i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        CASE("shared words: each has had it", owned == 3 && (*lock & ~WAITERS) == 0);
    }
    vectors();
    return tap_finish();
}
