/* The lock around the libOS of a process with several threads (thread.h), when it is not free, or somebody waits for it. */
#include "entry.h"

/* Events end a sleep at once: they are kept for when the lock is there. */
void px_lock_slowly(struct px_thread *thread)
{
    while (__atomic_exchange_n(px_lock_word(), 2, __ATOMIC_ACQUIRE) != 0) {
        if (exo_wait_word(px_lock_word(), 2, EXO_DEADLINE_NEVER, 0, 0) != -EXO_E_EVENT)
            continue;
        thread->events |= __atomic_exchange_n(&px_upage()->pending, 0, __ATOMIC_SEQ_CST);
        thread->exit_work |= PX_WORK_SIGNALS;
    }
}

/* Who waited gets the processor at once: else whoever calls again and again has the lock whenever another one looks, which wakes nobody but that one. */
void px_unlock_slowly(void)
{
    if (exo_wake(px_lock_word(), 1) > 0)
        (void)!exo_yield();
}
