/* The interval timer in real time: alarm and setitimer. The kernel posts an event at its deadline; SIGALRM follows from that. */
#include "entry.h"
#include "px_calls.h"

#define NS 1000000000ull
#define ITIMER_REAL 0
#define ITIMER_PROF 2
#define SECONDS_MAX 0x1ffffffffull /* beyond it nanoseconds would not fit */

static uint64_t deadline_ns = PX_DEADLINE_NEVER, interval_ns;

struct itimerval {
    struct px_timeval interval, value;
};

uint64_t px_timer_next_ns(void)
{
    return deadline_ns;
}

static void arm(uint64_t deadline)
{
    deadline_ns = deadline;
    (void)!exo_timer_set(deadline, PX_EVENT_TIMER);
}

void px_timer_expire(uint64_t now_ns)
{
    if (deadline_ns == PX_DEADLINE_NEVER)
        return;
    if (now_ns < deadline_ns) {
        arm(deadline_ns);
        return;
    }
    if (interval_ns) {
        uint64_t missed = (now_ns - deadline_ns) / interval_ns;

        arm(deadline_ns + (missed + 1) * interval_ns);
    } else {
        deadline_ns = PX_DEADLINE_NEVER;
    }
    px_raise(SIGALRM);
}

void px_timer_fork_child(void)
{
    deadline_ns = PX_DEADLINE_NEVER;
    interval_ns = 0;
}

static uint64_t remaining(void)
{
    uint64_t now = px_now_ns();

    if (deadline_ns == PX_DEADLINE_NEVER)
        return 0;
    return deadline_ns > now ? deadline_ns - now : 1000; /* due, but not yet delivered */
}

static void start(uint64_t value_ns, uint64_t every_ns)
{
    interval_ns = every_ns;
    if (value_ns)
        arm(px_now_ns() + value_ns);
    else if (deadline_ns != PX_DEADLINE_NEVER)
        arm(PX_DEADLINE_NEVER);
}

int64_t px_sys_alarm(uint64_t seconds, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t left = remaining();

    (void)b, (void)c, (void)d, (void)e, (void)f;
    start((uint32_t)seconds * NS, 0);
    return (int64_t)(left && left < NS / 2 ? 1 : (left + NS / 2) / NS);
}

static struct px_timeval to_timeval(uint64_t ns)
{
    return (struct px_timeval){(int64_t)(ns / NS), (int64_t)(ns % NS / 1000)};
}

static bool from_timeval(const struct px_timeval *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_usec >= 1000000)
        return false;
    *ns = ((uint64_t)time->tv_sec > SECONDS_MAX ? SECONDS_MAX : (uint64_t)time->tv_sec) * NS + (uint64_t)time->tv_usec * 1000;
    return true;
}

static void current(struct itimerval *to)
{
    *to = (struct itimerval){to_timeval(interval_ns), to_timeval(remaining())};
}

int64_t px_sys_getitimer(uint64_t which, uint64_t to, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct itimerval now = {0};

    (void)c, (void)d, (void)e, (void)f;
    if (which > ITIMER_PROF)
        return -EINVAL;
    if (which == ITIMER_REAL)
        current(&now);
    return px_copy_out(to, &now, sizeof(now));
}

/* Only real time: process time is not metered finely enough here, and pretending would be worse than ENOSYS. */
int64_t px_sys_setitimer(uint64_t which, uint64_t from, uint64_t old, uint64_t d, uint64_t e, uint64_t f)
{
    struct itimerval now, next = {0};
    uint64_t value_ns, every_ns;

    (void)d, (void)e, (void)f;
    if (which > ITIMER_PROF)
        return -EINVAL;
    if (which != ITIMER_REAL)
        return -ENOSYS;
    if (from && px_copy_in(&next, from, sizeof(next)) < 0)
        return -EFAULT;
    if (!from_timeval(&next.value, &value_ns) || !from_timeval(&next.interval, &every_ns))
        return -EINVAL;
    current(&now);
    start(value_ns, every_ns);
    return old ? px_copy_out(old, &now, sizeof(now)) : 0;
}
