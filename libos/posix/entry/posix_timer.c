/*
 * timer_create and its relatives. A timer's signal is queued at most once: while it waits, further expiries are counted, and
 * timer_getoverrun tells how many the last signal that was taken stood for. SIGEV_THREAD is the C library's, with a thread.
 */
#include "entry.h"
#include "px_calls.h"
#include "timer.h"

#define NS 1000000000ull
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_TAI 11
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2 /* to the kernel as SIGEV_SIGNAL */
#define SIGEV_THREAD_ID 4
#define TIMER_ABSTIME 1u
#define OVERRUN_MAX 0x7fffffffu
#define SECONDS_MAX 0x1ffffffffll

struct sigevent {
    uint64_t value;
    int32_t signo, notify, thread;
};

struct itimerspec {
    struct px_timespec interval, value;
};

static bool real_clock[PX_TIMERS]; /* on CLOCK_REALTIME: absolute times are of that clock */

static struct px_timer *find(uint64_t id)
{
    if (id >= PX_TIMERS - PX_TIMER_POSIX || !px_timers[PX_TIMER_POSIX + id].made)
        return NULL;
    return &px_timers[PX_TIMER_POSIX + id];
}

static int32_t id_of(const struct px_timer *timer)
{
    return (int32_t)(timer - px_timers - PX_TIMER_POSIX);
}

void px_posix_timer_fire(struct px_timer *timer, uint64_t missed)
{
    const struct px_siginfo info = {.signo = timer->signo, .code = SI_TIMER, .pid = id_of(timer), .value = timer->value};
    struct px_thread *thread = timer->notify == SIGEV_THREAD_ID ? px_thread_find(timer->thread) : NULL;
    uint64_t sum = timer->missed + missed, pending = __atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST);
    bool waits;

    if (timer->notify == SIGEV_NONE || (timer->notify == SIGEV_THREAD_ID && !thread))
        return;
    waits = (thread ? thread->pending : pending) & PX_SIGBIT(timer->signo);
    if (waits)
        sum++;
    timer->missed = sum > OVERRUN_MAX ? OVERRUN_MAX : (uint32_t)sum;
    if (waits)
        return;
    if (thread)
        (void)!px_signal_post_thread(thread, &info);
    else
        px_signal_post(&info);
}

void px_posix_timer_taken(struct px_siginfo *info)
{
    struct px_timer *timer = find((uint32_t)info->pid);

    if (!timer || timer->signo != info->signo)
        return;
    timer->overrun = timer->missed;
    timer->missed = 0;
    info->uid = (int32_t)timer->overrun;
}

void px_posix_timer_exec(void)
{
    for (struct px_timer *timer = px_timers + PX_TIMER_POSIX; timer < px_timers + PX_TIMERS; timer++) {
        px_timer_stop(timer);
        timer->made = false;
    }
}

/* What the program wants to be told; without a sigevent SIGALRM with the timer's number. */
static int64_t read_event(px_user from, struct px_timer *timer)
{
    struct sigevent event = {.value = (uint64_t)id_of(timer), .signo = SIGALRM};

    if (from && px_copy_in(&event, from, sizeof(event)) < 0)
        return -EFAULT;
    if (event.notify != SIGEV_SIGNAL && event.notify != SIGEV_NONE && event.notify != SIGEV_THREAD && event.notify != SIGEV_THREAD_ID)
        return -EINVAL;
    if (event.notify == SIGEV_THREAD_ID && !px_thread_find(event.thread))
        return -EINVAL;
    if (event.notify != SIGEV_NONE && (event.signo < 1 || event.signo > SIGRTMAX))
        return -EINVAL;
    timer->notify = event.notify;
    timer->thread = event.thread;
    timer->signo = event.signo;
    timer->value = event.value;
    return 0;
}

/* A processor clock of this process, whose own number has its pid (0: one's own), or of one of its threads. */
static bool own_processor_clock(int clock, int32_t *of_thread)
{
    const struct px_thread *thread = px_thread_of_clock(clock);
    int pid = ~(clock >> 3);

    *of_thread = thread ? thread->tid : 0;
    if (clock >= 0)
        return clock == CLOCK_PROCESS_CPUTIME_ID || thread;
    return PX_CLOCK_WHICH(clock) != PX_CLOCK_NO_PROCESSOR && (thread || (!PX_CLOCK_IS_THREADS(clock) && (pid == 0 || pid == px_self()->pid)));
}

int64_t px_sys_timer_create(uint64_t clock, uint64_t event, uint64_t id_to, uint64_t d, uint64_t e, uint64_t f)
{
    struct px_timer *timer = px_timers + PX_TIMER_POSIX;
    int32_t id, of_thread;
    bool processor = own_processor_clock((int)clock, &of_thread);
    int64_t status;

    (void)d, (void)e, (void)f;
    if ((int)clock >= CLOCK_MONOTONIC_RAW && (int)clock <= CLOCK_MONOTONIC_COARSE)
        return -EOPNOTSUPP;
    if (!processor && (int)clock != CLOCK_REALTIME && (int)clock != CLOCK_MONOTONIC && (int)clock != CLOCK_BOOTTIME && (int)clock != CLOCK_TAI)
        return -EINVAL;
    while (timer < px_timers + PX_TIMERS && timer->made)
        timer++;
    if (timer == px_timers + PX_TIMERS)
        return -EAGAIN;
    *timer = (struct px_timer){.processor = processor, .of_thread = of_thread};
    id = id_of(timer);
    status = read_event(event, timer);
    if (status < 0 || (status = px_copy_out(id_to, &id, sizeof(id))) < 0)
        return status;
    real_clock[timer - px_timers] = (int)clock == CLOCK_REALTIME || (int)clock == CLOCK_TAI;
    timer->made = true;
    return 0;
}

int64_t px_sys_timer_delete(uint64_t id, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct px_timer *timer = find((uint32_t)id);

    (void)b, (void)c, (void)d, (void)e, (void)f;
    if (!timer)
        return -EINVAL;
    px_timer_stop(timer);
    timer->made = false;
    return 0;
}

static struct px_timespec to_timespec(uint64_t ns)
{
    return (struct px_timespec){(int64_t)(ns / NS), (int64_t)(ns % NS)};
}

static bool from_timespec(const struct px_timespec *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_nsec >= NS)
        return false;
    *ns = (uint64_t)(time->tv_sec > SECONDS_MAX ? SECONDS_MAX : time->tv_sec) * NS + (uint64_t)time->tv_nsec;
    return true;
}

static struct itimerspec current(const struct px_timer *timer)
{
    return (struct itimerspec){to_timespec(timer->interval_ns), to_timespec(px_timer_remaining(timer))};
}

int64_t px_sys_timer_gettime(uint64_t id, uint64_t to, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const struct px_timer *timer = find((uint32_t)id);
    struct itimerspec now;

    (void)c, (void)d, (void)e, (void)f;
    if (!timer)
        return -EINVAL;
    now = px_timer_has_clock(timer) ? current(timer) : (struct itimerspec){0};
    return px_copy_out(to, &now, sizeof(now));
}

int64_t px_sys_timer_getoverrun(uint64_t id, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const struct px_timer *timer = find((uint32_t)id);

    (void)b, (void)c, (void)d, (void)e, (void)f;
    return timer ? (int64_t)timer->overrun : -EINVAL;
}

/* The deadline on the timer's own clock. */
static uint64_t deadline_of(const struct px_timer *timer, uint64_t value_ns, bool absolute)
{
    uint64_t now = px_timer_clock_ns(timer), real;

    if (!absolute)
        return now + value_ns;
    if (!real_clock[timer - px_timers])
        return value_ns;
    real = px_real_ns();
    return value_ns > real ? now + (value_ns - real) : now;
}

int64_t px_sys_timer_settime(uint64_t id, uint64_t flags, uint64_t from, uint64_t old, uint64_t e, uint64_t f)
{
    struct px_timer *timer = find((uint32_t)id);
    struct itimerspec next, before;
    uint64_t value_ns, interval_ns;

    (void)e, (void)f;
    if (!from || !timer)
        return -EINVAL;
    if (px_copy_in(&next, from, sizeof(next)) < 0)
        return -EFAULT;
    if (!from_timespec(&next.value, &value_ns) || !from_timespec(&next.interval, &interval_ns))
        return -EINVAL;
    if (!px_timer_has_clock(timer))
        return -ESRCH;
    before = current(timer);
    timer->missed = timer->overrun = 0;
    if (value_ns)
        px_timer_start(timer, deadline_of(timer, value_ns, flags & TIMER_ABSTIME), interval_ns);
    else
        px_timer_stop(timer);
    return old ? px_copy_out(old, &before, sizeof(before)) : 0;
}
