/*
 * Before a reader or writer sleeps it looks for a moment whether the other side answers: with several processors that takes less than to sleep and
 * be woken, and the other side enters the kernel neither. How long is learnt: twice as long after it paid, half as long after it did not, so that
 * who waits for a person or a disk soon sleeps at once, and tries again only now and then.
 */
#include "entry.h"

#define MOST_NS 50000u
#define LEAST_NS 1000u
#define LOOKS 16u        /* between two glances at the clock */
#define TRY_AGAIN 32u    /* waits without a moment, after which one has the least again */

static uint32_t moment_ns = MOST_NS / 2;
static uint32_t waits;

static bool changed(const struct exo_predicate *predicates, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (__atomic_load_n((const uint32_t *)predicates[i].va, __ATOMIC_ACQUIRE) != predicates[i].value)
            return true;
    return false;
}

static bool spin(const struct exo_predicate *predicates, unsigned count)
{
    const uint32_t *pending = &px_upage()->pending;
    uint64_t until;

    if (!moment_ns) {
        if (++waits % TRY_AGAIN)
            return false;
        moment_ns = LEAST_NS;
    }
    until = px_now_ns() + moment_ns;
    do {
        for (unsigned i = 0; i < LOOKS; i++) {
            if (changed(predicates, count)) {
                moment_ns = moment_ns * 2 < MOST_NS ? moment_ns * 2 : MOST_NS;
                return true;
            }
        }
        exo_arch_relax();
    } while (px_now_ns() < until && !__atomic_load_n(pending, __ATOMIC_RELAXED));
    moment_ns = moment_ns / 2 < LEAST_NS ? 0 : moment_ns / 2;
    return false;
}

/* Who answers may be another thread. */
static bool spin_unlocked(const struct exo_predicate *predicates, unsigned count)
{
    bool result;

    if (!px_thread()->locked)
        return spin(predicates, count);
    px_unlock();
    result = spin(predicates, count);
    px_lock();
    return result;
}

int64_t px_wait_counted(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns, uint32_t *waiters)
{
    int64_t result;

    if (px_info()->cpus > 1 && spin_unlocked(predicates, count))
        return 0;
    __atomic_fetch_add(waiters, 1, __ATOMIC_SEQ_CST);
    result = px_wait(predicates, count, deadline_ns);
    __atomic_fetch_sub(waiters, 1, __ATOMIC_RELAXED);
    return result;
}
