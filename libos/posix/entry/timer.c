/*
 * This process's timers. All share the one timer that the kernel gives a context: it posts an event at the earliest deadline, and
 * what is due by then follows from that. A timer of processor time is armed for the earliest moment at which that much can have
 * been used; if the process slept meanwhile, it is armed again for the rest.
 */
#include "entry.h"
#include "px_calls.h"
#include "timer.h"

#define NS 1000000000ull
#define ITIMER_REAL 0
#define ITIMER_PROF 2
#define SECONDS_MAX 0x1ffffffffull /* beyond it nanoseconds would not fit */
#define CPU_STEP_NS 1000000u       /* a processor timer does not look again earlier than this */

struct px_timer px_timers[PX_TIMERS];
static uint64_t limit_soft_s = PX_DEADLINE_NEVER, limit_hard_s = PX_DEADLINE_NEVER; /* RLIMIT_CPU */

struct itimerval {
    struct px_timeval interval, value;
};

uint64_t px_timer_clock_ns(const struct px_timer *timer)
{
    const struct px_thread *thread = timer->of_thread ? px_thread_find(timer->of_thread) : NULL;
    struct exo_env_info figures;

    if (!timer->processor)
        return px_now_ns();
    if (timer->of_thread)
        return thread ? px_thread_cpu_ns(thread) : 0;
    return exo_env_info(PX_SLOT_SELF, &figures) < 0 ? 0 : figures.cpu_ns;
}

bool px_timer_has_clock(const struct px_timer *timer)
{
    return !timer->of_thread || px_thread_find(timer->of_thread);
}

uint64_t px_timer_remaining(const struct px_timer *timer)
{
    uint64_t now;

    if (!timer->running)
        return 0;
    now = px_timer_clock_ns(timer);
    return timer->deadline_ns > now ? timer->deadline_ns - now : 1000; /* due, but not yet delivered */
}

static uint64_t asked_ns = PX_DEADLINE_NEVER; /* what the kernel was asked for last, */
static const struct px_thread *asked_by;      /* and by whom: each context has a timer of its own */

/* Asks the kernel for the earliest of the deadlines. */
static void arm(void)
{
    uint64_t earliest = PX_DEADLINE_NEVER, now = px_now_ns();

    for (const struct px_timer *timer = px_timers; timer < px_timers + PX_TIMERS; timer++) {
        uint64_t at;

        if (!timer->running || !px_timer_has_clock(timer))
            continue;
        at = timer->processor ? now + px_timer_remaining(timer) + CPU_STEP_NS : timer->deadline_ns;
        if (at < earliest)
            earliest = at;
    }
    if (earliest == PX_DEADLINE_NEVER && asked_ns == PX_DEADLINE_NEVER)
        return;
    asked_ns = earliest;
    asked_by = px_thread();
    (void)!exo_timer_set(earliest, PX_EVENT_TIMER);
}

bool px_timer_leave(void)
{
    if (asked_by != px_thread() || asked_ns == PX_DEADLINE_NEVER)
        return false;
    (void)!exo_timer_set(PX_DEADLINE_NEVER, 0);
    return true;
}

void px_timer_start(struct px_timer *timer, uint64_t deadline_ns, uint64_t interval_ns)
{
    timer->running = true;
    timer->deadline_ns = deadline_ns;
    timer->interval_ns = interval_ns;
    arm();
}

void px_timer_stop(struct px_timer *timer)
{
    timer->interval_ns = 0;
    if (!timer->running)
        return;
    timer->running = false;
    arm();
}

/* RLIMIT_CPU: SIGXCPU at the soft limit and each second after it, the end at the hard one. */
static void limit_reached(struct px_timer *timer, uint64_t used_ns)
{
    if (used_ns / NS >= limit_hard_s)
        px_exit(SIGKILL);
    timer->deadline_ns = used_ns + NS;
    px_raise(SIGXCPU);
}

static void fire(struct px_timer *timer, uint64_t now_ns)
{
    static const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
    uint64_t missed = 0;

    if (timer == &px_timers[PX_TIMER_LIMIT]) {
        limit_reached(timer, now_ns);
        return;
    }
    if (timer == &px_timers[PX_TIMER_FD]) {
        timer->deadline_ns = px_timerfd_expire(now_ns);
        timer->running = timer->deadline_ns != PX_DEADLINE_NEVER;
        return;
    }
    if (timer->interval_ns) {
        missed = (now_ns - timer->deadline_ns) / timer->interval_ns;
        timer->deadline_ns += (missed + 1) * timer->interval_ns;
    } else {
        timer->running = false;
    }
    if (timer < px_timers + PX_TIMER_LIMIT)
        px_raise(signals[timer - px_timers]);
    else
        px_posix_timer_fire(timer, missed);
}

void px_timer_expire(uint64_t now_ns)
{
    for (struct px_timer *timer = px_timers; timer < px_timers + PX_TIMERS; timer++) {
        uint64_t now;

        if (!timer->running)
            continue;
        now = timer->processor ? px_timer_clock_ns(timer) : now_ns;
        if (now >= timer->deadline_ns)
            fire(timer, now);
    }
    arm();
}

void px_timerfd_watch(uint64_t deadline_ns)
{
    struct px_timer *timer = &px_timers[PX_TIMER_FD];

    if (!timer->running || deadline_ns < timer->deadline_ns)
        px_timer_start(timer, deadline_ns, 0);
}

static void start_limit(void)
{
    struct px_timer *timer = &px_timers[PX_TIMER_LIMIT];

    timer->processor = true;
    if (limit_soft_s > SECONDS_MAX)
        px_timer_stop(timer);
    else
        px_timer_start(timer, (limit_soft_s ? limit_soft_s : 1) * NS, 0);
}

void px_timer_cpu_limit(uint64_t soft_s, uint64_t hard_s)
{
    limit_soft_s = soft_s;
    limit_hard_s = hard_s;
    start_limit();
}

void px_timer_fork_child(void)
{
    memset(px_timers, 0, sizeof(px_timers));
    start_limit();
}

static void start(struct px_timer *timer, uint64_t value_ns, uint64_t every_ns)
{
    timer->processor = timer != &px_timers[ITIMER_REAL];
    if (value_ns)
        px_timer_start(timer, px_timer_clock_ns(timer) + value_ns, every_ns);
    else
        px_timer_stop(timer);
    timer->interval_ns = timer->processor || value_ns ? every_ns : 0; /* Linux tells those of processor time while they stand, too */
}

int64_t px_sys_alarm(uint64_t seconds, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct px_timer *timer = &px_timers[ITIMER_REAL];
    uint64_t left = px_timer_remaining(timer);

    (void)b, (void)c, (void)d, (void)e, (void)f;
    start(timer, (uint32_t)seconds * NS, 0);
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

static void current(const struct px_timer *timer, struct itimerval *to)
{
    *to = (struct itimerval){to_timeval(timer->running || timer->processor ? timer->interval_ns : 0), to_timeval(px_timer_remaining(timer))};
}

int64_t px_sys_getitimer(uint64_t which, uint64_t to, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct itimerval now;

    (void)c, (void)d, (void)e, (void)f;
    if (which > ITIMER_PROF)
        return -EINVAL;
    current(&px_timers[which], &now);
    return px_copy_out(to, &now, sizeof(now));
}

/* All processor time is charged as user time, so the virtual timer and the profiling one measure the same. */
int64_t px_sys_setitimer(uint64_t which, uint64_t from, uint64_t old, uint64_t d, uint64_t e, uint64_t f)
{
    struct itimerval now, next = {0};
    uint64_t value_ns, every_ns;

    (void)d, (void)e, (void)f;
    if (which > ITIMER_PROF)
        return -EINVAL;
    if (from && px_copy_in(&next, from, sizeof(next)) < 0)
        return -EFAULT;
    if (!from_timeval(&next.value, &value_ns) || !from_timeval(&next.interval, &every_ns))
        return -EINVAL;
    current(&px_timers[which], &now);
    start(&px_timers[which], value_ns, every_ns);
    return old ? px_copy_out(old, &now, sizeof(now)) : 0;
}
