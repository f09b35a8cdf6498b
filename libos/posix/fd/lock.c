/* Locks in memory that processes share. The word names its holder, so that a holder's death is seen and the
 * lock taken over. */
#include "fd.h"

#define PX_LOCK_TTY 0xfffeu            /* PX_LOCK_INDEX of tty, which does not die while we live */
#define PX_LOCK_RECHECK_NS 20000000ull /* a death posts no wake on the lock's word: look again after 20 ms   \
                                        */

PX_HOT_DATA uint32_t px_lock_self;

void px_lock_start(void)
{
    px_lock_self = PX_LOCK_HOLDER(px_ppage()->index, px_self()->gen);
    px_rank_start();
}

bool px_holder_is_gone(uint32_t holder)
{
    uint32_t index = PX_LOCK_INDEX(holder);
    const struct px_proc *process;

    if (index == 0 || index >= PX_PROCS_MAX)
        return true; /* nobody: somebody wrote nonsense */
    process = PX_PROC(PX_PROCTAB, index);
    return process->state == PX_FREE || process->state == PX_ZOMBIE || (process->gen & 0x7fffu) != PX_LOCK_GEN(holder);
}

static bool holder_is_dead(uint32_t lock)
{
    if (PX_LOCK_INDEX(lock) == PX_LOCK_TTY)
        return false;
    if ((lock & ~PX_LOCK_WAITERS) == px_lock_self)
        return true; /* left over: who has one sleeps with none, and keeps other threads out of the libOS (rank.h) */
    return px_holder_is_gone(lock);
}

/* Takes it with the waiters' bit set: others may be asleep, and whoever takes it after a sleep cannot know.
 */
PX_APART void px_lock_take_slowly(uint32_t *lock)
{
    for (;;) {
        uint32_t seen = __atomic_load_n(lock, __ATOMIC_RELAXED);

        if (seen == 0 || holder_is_dead(seen)) {
            if (__atomic_compare_exchange_n(lock, &seen, px_lock_self | PX_LOCK_WAITERS, false,
                                            __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return;
            continue;
        }
        if (!(seen & PX_LOCK_WAITERS)) {
            if (!__atomic_compare_exchange_n(lock, &seen, seen | PX_LOCK_WAITERS, false, __ATOMIC_RELAXED,
                                             __ATOMIC_RELAXED))
                continue;
            seen |= PX_LOCK_WAITERS;
        }
        struct exo_predicate locked = {.va = (uint64_t)lock, .value = seen, .kind = EXO_WAIT_WORD};

        /* A pending signal ends the wait at once; the holder needs the processor then. */
        if (exo_wait(&locked, 1, px_now_ns() + PX_LOCK_RECHECK_NS) == -EXO_E_EVENT)
            (void)!exo_yield();
    }
}
