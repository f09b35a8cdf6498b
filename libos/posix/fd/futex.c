/*
 * futex: waiting on a word of the program. The kernel names words by physical address, so private and shared
 * futexes are the same thing here; the page must be there before somebody sleeps on it, which loading the
 * word sees to. (A private page that waits for its copy on write may get another frame when it is written:
 * with one thread a process nobody else sleeps on such a page.)
 */
#include "fd.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_PRIVATE 128u
#define FUTEX_CLOCK_REALTIME 256u
#define FUTEX_COMMAND 127u

static int64_t deadline_of(px_user timespec, unsigned operation, uint64_t *deadline_ns)
{
    bool absolute = (operation & FUTEX_COMMAND) == FUTEX_WAIT_BITSET;
    uint64_t ns, now;
    int64_t result;

    *deadline_ns = PX_DEADLINE_NEVER;
    if (!timespec)
        return 0;
    result = px_read_timespec(timespec, &ns);
    if (result < 0)
        return result;
    now = !absolute ? 0 : operation & FUTEX_CLOCK_REALTIME ? px_real_ns() : px_now_ns();
    *deadline_ns = ns > now ? px_deadline_after(ns - now) : EXO_DEADLINE_NOW;
    return 0;
}

static int64_t futex_wait(px_user va, uint32_t expected, unsigned operation, px_user timespec)
{
    uint64_t deadline_ns;
    uint32_t value;
    int64_t result = deadline_of(timespec, operation, &deadline_ns);

    if (result == 0)
        result = px_load_u32(va, &value);
    if (result < 0)
        return result;
    if (value != expected)
        return -EAGAIN;
    result = px_wait_word((const uint32_t *)va, expected, deadline_ns);
    if (result >= 0)
        return 0;
    return result == -PX_ERESTARTSYS && timespec ? -EINTR : result;
}

static int64_t futex_wake(px_user va, uint32_t most)
{
    uint32_t value;
    int64_t result = px_load_u32(va, &value), woken = 0, now = 0;

    if (result < 0)
        return result;
    do {
        now = exo_wake((const void *)va, most - (uint64_t)woken);
        woken += now > 0 ? now : 0;
    } while (now == EXO_WAKE_MOST && (uint64_t)woken < most);
    return woken;
}

PX_SYS(futex)
{
    unsigned operation = (unsigned)b;
    uint32_t value;
    int64_t result;

    if (a % sizeof(uint32_t))
        return -EINVAL;
    switch (operation & FUTEX_COMMAND) {
    case FUTEX_WAIT:
        return futex_wait(a, (uint32_t)c, operation, d);
    case FUTEX_WAIT_BITSET:
        return (uint32_t)f ? futex_wait(a, (uint32_t)c, operation, d) : -EINVAL;
    case FUTEX_WAKE:
        return futex_wake(a, (uint32_t)c);
    case FUTEX_WAKE_BITSET:
        return (uint32_t)f ? futex_wake(a, (uint32_t)c) : -EINVAL;
    case FUTEX_CMP_REQUEUE:
        result = px_load_u32(a, &value);
        if (result < 0)
            return result;
        if (value != (uint32_t)f)
            return -EAGAIN;
        return futex_wake(a, ~0u); /* all wake and contend again: what requeueing saves, not what it means */
    case FUTEX_REQUEUE:
        return futex_wake(a, ~0u);
    default:
        return -ENOSYS;
    }
}
