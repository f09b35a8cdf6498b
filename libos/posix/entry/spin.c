/*
 * Before a reader or writer sleeps it looks for a moment whether the other side answers: with several processors that takes less than to sleep and
 * be woken, and the other side enters the kernel neither. Whether it pays is learnt: after each moment in vain twice as many waits sleep at once. It
 * is tried again and again, for two that sleep keep each other's waits long; and in vain it is also, however soon the answer should come, while the other
 * processor has something else to do, or does not run at present, being virtual.
 */
#include "entry.h"

#define MOMENT_NS 200000u /* what sleeping and being woken takes both sides, under TCG */
#define LOOKS 16u          /* between two glances at the clock */
#define MOST_RESTS 63u

static uint32_t rests; /* waits to come that sleep at once */
static uint32_t rest;  /* as many, the last time */

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
    uint64_t until_ns = px_now_ns() + MOMENT_NS;

    do {
        for (unsigned i = 0; i < LOOKS; i++)
            if (changed(predicates, count))
                return true;
        exo_arch_relax();
    } while (px_now_ns() < until_ns && !__atomic_load_n(pending, __ATOMIC_RELAXED));
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

static int64_t sleep_counted(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns, uint32_t *waiters)
{
    int64_t result;

    __atomic_fetch_add(waiters, 1, __ATOMIC_SEQ_CST);
    result = px_wait(predicates, count, deadline_ns);
    __atomic_fetch_sub(waiters, 1, __ATOMIC_RELAXED);
    return result;
}

PX_HOT int64_t px_wait_counted(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns, uint32_t *waiters)
{
    if (px_info()->cpus == 1)
        return sleep_counted(predicates, count, deadline_ns, waiters);
    if (rests > 0) {
        rests--;
    } else if (spin_unlocked(predicates, count)) {
        rest = 0;
        return 0;
    } else {
        rests = rest = rest < MOST_RESTS ? 2 * rest + 1 : MOST_RESTS;
    }
    return sleep_counted(predicates, count, deadline_ns, waiters);
}
