/*
 * The lock around the libOS of a process with several threads. Its word lies in the first thread's context page, which is never copied on write: sleepers
 * are found by the frame. 0: free; 1: held; 2: held, and somebody may sleep.
 */
#include "entry.h"

static uint32_t *word(void)
{
    return (uint32_t *)&((struct exo_upage *)PX_UPAGE)->libos[0];
}

/* Events end a sleep at once: they are kept for when the lock is there. */
static void lock_slowly(struct px_thread *thread)
{
    while (__atomic_exchange_n(word(), 2, __ATOMIC_ACQUIRE) != 0) {
        const struct exo_predicate held = {(uint64_t)word(), 2, EXO_WAIT_WORD};

        if (exo_wait(&held, 1, EXO_DEADLINE_NEVER) != -EXO_E_EVENT)
            continue;
        thread->events |= __atomic_exchange_n(&px_upage()->pending, 0, __ATOMIC_SEQ_CST);
        thread->exit_work |= PX_WORK_SIGNALS;
    }
}

void px_lock(void)
{
    struct px_thread *thread = px_thread();
    uint32_t open = 0;

    if (!px_threads.many || thread->locked)
        return;
    if (!__atomic_compare_exchange_n(word(), &open, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        lock_slowly(thread);
    thread->locked = true;
}

void px_unlock(void)
{
    struct px_thread *thread = px_thread();

    if (!thread->locked)
        return;
    thread->locked = false;
    if (__atomic_exchange_n(word(), 0, __ATOMIC_RELEASE) == 2)
        (void)!exo_wake(word(), 1);
}

int64_t px_sleep(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns)
{
    int64_t result;

    if (!px_thread()->locked)
        return exo_wait(predicates, count, deadline_ns);
    px_unlock();
    result = exo_wait(predicates, count, deadline_ns);
    px_lock();
    return result;
}
