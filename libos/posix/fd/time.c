/* Clocks and sleeping. The monotonic clock is the processor's cycle counter scaled by the kernel's info page:
 * no kernel call. */
#include "entry/thread.h"
#include "fd.h"

#include "proto/proc.h"

#include <exo/clock.h>

#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define CLOCK_TAI 11
#define TIMER_ABSTIME 1u
#define SECONDS_MAX 9000000000ll /* about 285 years: in nanoseconds it fits 64 bits */
#define TICK_NS (PX_SECOND / 100)
#define CPU_STEP_NS 1000000u /* who sleeps to a processor clock's time does not look again earlier than this */

uint64_t px_now_ns(void)
{
    return exo_clock_ns(px_info());
}

uint64_t px_real_ns(void)
{
    return px_now_ns() + px_wall_offset_ns();
}

uint64_t px_deadline_after(uint64_t ns)
{
    uint64_t now = px_now_ns();

    return ns < PX_DEADLINE_NEVER - 1 - now ? now + ns : PX_DEADLINE_NEVER - 1;
}

uint64_t px_timer_slack_ns = 50000; /* as Linux */

uint64_t px_slacked(uint64_t deadline_ns)
{
    return exo_deadline_slack(deadline_ns, px_timer_slack_ns);
}

int64_t px_read_timespec(px_user from, uint64_t *ns)
{
    struct px_timespec time;

    if (px_copy_in(&time, from, sizeof time) != 0)
        return -EFAULT;
    if (time.tv_sec < 0 || (uint64_t)time.tv_nsec >= PX_SECOND)
        return -EINVAL;
    if (time.tv_sec > SECONDS_MAX)
        time.tv_sec = SECONDS_MAX;
    *ns = (uint64_t)time.tv_sec * PX_SECOND + (uint64_t)time.tv_nsec;
    return 0;
}

static int64_t write_timespec(px_user to, uint64_t ns)
{
    struct px_timespec time = {.tv_sec = (int64_t)(ns / PX_SECOND), .tv_nsec = (int64_t)(ns % PX_SECOND)};

    return px_copy_out(to, &time, sizeof time);
}

static struct px_timeval timeval_of(uint64_t ns)
{
    return (struct px_timeval){.tv_sec = (int64_t)(ns / PX_SECOND),
                               .tv_usec = (int64_t)(ns % PX_SECOND / 1000)};
}

static int64_t usage_of(int pid, struct px_usage *usage)
{
    struct exo_message message = {.word = {PX_PROC_USAGE, (uint64_t)pid, 0, 0, 0}};
    int64_t result = px_call_server(PX_SLOT_PROC, &message);

    memset(usage, 0, sizeof *usage);
    if (result < 0)
        return result;
    memcpy(usage, px_msg(), sizeof *usage);
    return 0;
}

/* -EINVAL for a clock that is not there. A negative number is a process's processor clock. */
static int64_t read_clock(int clock, uint64_t *ns)
{
    const struct px_thread *thread;
    struct px_usage usage;
    int64_t status;

    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        *ns = px_real_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *ns = px_now_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        status = usage_of(px_self()->pid, &usage);
        *ns = usage.own.cpu_ns;
        return status;
    default:
        thread = px_thread_of_clock(clock);
        if (clock < 0 && PX_CLOCK_WHICH(clock) == PX_CLOCK_NO_PROCESSOR)
            return -EINVAL;
        if (thread) {
            *ns = px_thread_cpu_ns(thread);
            return 0;
        }
        if (clock < 0 && !PX_CLOCK_IS_THREADS(clock)) {
            int pid = ~(clock >> 3);

            if (pid == 0 || pid == px_thread()->tid) /* also by the caller's tid */
                pid = px_self()->pid;
            status = usage_of(pid, &usage);
            *ns = usage.own.cpu_ns;
            return status < 0 ? -EINVAL : 0;
        }
        return -EINVAL;
    }
}

PX_SYS(clock_gettime)
{
    uint64_t ns;
    int64_t result = read_clock((int)a, &ns);

    return result < 0 ? result : write_timespec(b, ns);
}

PX_SYS(clock_getres)
{
    uint64_t ns;
    int64_t result = read_clock((int)a, &ns);
    bool coarse = (int)a == CLOCK_REALTIME_COARSE || (int)a == CLOCK_MONOTONIC_COARSE;

    if (result < 0)
        return result;
    return b ? write_timespec(b, coarse ? 4000000 : 1) : 0;
}

static int64_t set_wall(uint64_t ns)
{
    struct exo_message message = {.word = {PX_PROC_SETTIME, ns - px_now_ns() - px_info()->wall_offset_ns}};

    return px_call_server(PX_SLOT_PROC, &message);
}

PX_SYS(clock_settime)
{
    uint64_t ns;
    int64_t result;

    if ((int)a != CLOCK_REALTIME)
        return -EINVAL;
    result = px_read_timespec(b, &ns);
    return result < 0 ? result : set_wall(ns);
}

PX_SYS(settimeofday)
{
    struct px_timeval time;
    int32_t zone[2] = {0, 0}; /* minutes west of Greenwich: checked, and nobody's business since there are time zones in libraries */

    if (a && px_copy_in(&time, a, sizeof time) != 0)
        return -EFAULT;
    if (b && px_copy_in(zone, b, sizeof zone) != 0)
        return -EFAULT;
    if (a && (uint64_t)time.tv_usec >= 1000000)
        return -EINVAL;
    if (px_self()->euid)
        return -EPERM;
    if (zone[0] > 15 * 60 || zone[0] < -15 * 60)
        return -EINVAL;
    if (!a)
        return 0;
    if (time.tv_sec < 0 || time.tv_sec > SECONDS_MAX)
        return -EINVAL;
    return set_wall((uint64_t)time.tv_sec * PX_SECOND + (uint64_t)time.tv_usec * 1000);
}

#define ADJ_OFFSET 1u
#define ADJ_FREQUENCY 2u
#define ADJ_MAXERROR 4u
#define ADJ_ESTERROR 8u
#define ADJ_STATUS 0x10u
#define ADJ_TIMECONST 0x20u
#define ADJ_TAI 0x80u
#define ADJ_SETOFFSET 0x100u
#define ADJ_MICRO 0x1000u
#define ADJ_NANO 0x2000u
#define ADJ_TICK 0x4000u
#define ADJ_ADJTIME 0x8000u /* what adjtime(3) asks for; with ADJ_NANO's bit it only reads */
#define STA_RONLY 0xff00
#define STA_UNSYNC 0x40
#define TIME_ERROR 5

struct timex {
    uint32_t modes;
    int64_t offset, freq, maxerror, esterror;
    int32_t status;
    int64_t constant, precision, tolerance;
    struct px_timeval time;
    int64_t tick, pps[8], tai, pad[5];
};
_Static_assert(sizeof(struct timex) == 208, "struct timex");

#define TIMEX_FIRST {.maxerror = 16000000, .esterror = 16000000, .status = STA_UNSYNC, .constant = 2, .precision = 1, .tolerance = 32768000, .tick = 10000}

/* Does it ask for nothing but what is? An offset without STA_PLL means nothing on Linux, either. */
static bool steers(const struct timex *timex)
{
    static const struct timex is = TIMEX_FIRST;
    const uint32_t modes = timex->modes;

    return (modes & ADJ_FREQUENCY && timex->freq != is.freq) || (modes & ADJ_MAXERROR && timex->maxerror != is.maxerror) ||
           (modes & ADJ_ESTERROR && timex->esterror != is.esterror) || (modes & ADJ_STATUS && (timex->status & ~STA_RONLY) != is.status) ||
           (modes & ADJ_TIMECONST && timex->constant != is.constant) || (modes & ADJ_TAI && timex->constant) ||
           (modes & ADJ_TICK && timex->tick != is.tick) || (modes & ADJ_NANO && !(modes & ADJ_SETOFFSET));
}

static int64_t step(const struct timex *timex)
{
    const int64_t unit = timex->modes & ADJ_NANO ? 1 : 1000;
    uint64_t ns;

    if ((uint64_t)timex->time.tv_usec >= PX_SECOND / (uint64_t)unit || timex->time.tv_sec > SECONDS_MAX || timex->time.tv_sec < -SECONDS_MAX)
        return -EINVAL;
    ns = px_real_ns() + (uint64_t)timex->time.tv_sec * PX_SECOND + (uint64_t)(timex->time.tv_usec * unit);
    return ns / PX_SECOND > SECONDS_MAX ? -EINVAL : set_wall(ns);
}

/* The clock can be put forward or back, and told that nobody steers it. */
static int64_t adjust(px_user address)
{
    struct timex timex, told = TIMEX_FIRST;
    int64_t status = 0;

    if (px_copy_in(&timex, address, sizeof timex) != 0)
        return -EFAULT;
    if (timex.modes & ADJ_ADJTIME && !(timex.modes & ADJ_OFFSET))
        return -EINVAL;
    if (timex.modes && (timex.modes & (ADJ_ADJTIME | ADJ_NANO)) != (ADJ_ADJTIME | ADJ_NANO) && px_self()->euid)
        return -EPERM;
    if (timex.modes & ADJ_ADJTIME)
        status = !(timex.modes & ADJ_NANO) && timex.offset ? -EINVAL : 0;
    else if (steers(&timex))
        status = -EINVAL;
    else if (timex.modes & ADJ_SETOFFSET)
        status = step(&timex);
    if (status < 0)
        return status;
    told.modes = timex.modes;
    told.time = timeval_of(px_real_ns());
    return px_copy_out(address, &told, sizeof told) != 0 ? -EFAULT : TIME_ERROR;
}

PX_SYS(adjtimex)
{
    return adjust(a);
}

PX_SYS(clock_adjtime)
{
    uint64_t ns;

    if ((int)a == CLOCK_REALTIME)
        return adjust(b);
    return read_clock((int)a, &ns) < 0 ? -EINVAL : -EOPNOTSUPP;
}

PX_SYS(gettimeofday)
{
    struct px_timeval time = timeval_of(px_real_ns());
    const int32_t zone[2] = {0, 0};

    if (a && px_copy_out(a, &time, sizeof time) != 0)
        return -EFAULT;
    return b ? px_copy_out(b, zone, sizeof zone) : 0;
}

PX_SYS(time)
{
    int64_t seconds = (int64_t)(px_real_ns() / PX_SECOND);

    return a && px_copy_out(a, &seconds, sizeof seconds) != 0 ? -EFAULT : seconds;
}

PX_SYS(times)
{
    struct px_usage usage;
    int64_t
        ticks[4]; /* user, system, children's user and system: the kernel does not tell user from system */

    (void)!usage_of(px_self()->pid, &usage);
    ticks[0] = (int64_t)(usage.own.cpu_ns / TICK_NS);
    ticks[1] = 0;
    ticks[2] = (int64_t)(usage.children.cpu_ns / TICK_NS);
    ticks[3] = 0;
    if (a && px_copy_out(a, ticks, sizeof ticks) != 0)
        return -EFAULT;
    return (int64_t)(px_now_ns() / TICK_NS);
}

struct rusage {
    struct px_timeval user, system;
    int64_t maxrss, shared, data, stack, minor_faults, major_faults, other[8];
};

/* All faults are minor: files are in memory. */
int64_t px_rusage_put(px_user to, const struct px_spent *spent)
{
    const struct rusage usage = {.user = timeval_of(spent->cpu_ns),
                                 .maxrss = (int64_t)(spent->resident_most * PX_PAGE / 1024),
                                 .minor_faults = (int64_t)spent->faults};

    return px_copy_out(to, &usage, sizeof usage);
}

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD 1

PX_SYS(getrusage)
{
    struct px_usage usage;

    if ((int)a != RUSAGE_SELF && (int)a != RUSAGE_CHILDREN && (int)a != RUSAGE_THREAD)
        return -EINVAL;
    (void)!usage_of(px_self()->pid, &usage);
    if ((int)a == RUSAGE_THREAD)
        usage.own.cpu_ns = px_thread_cpu_ns(px_thread());
    return px_rusage_put(b, (int)a == RUSAGE_CHILDREN ? &usage.children : &usage.own);
}

/* ---- sleeping ---- */

/* A sleep that a stop or an ignored signal interrupted goes on with what is left: restart_syscall. */
static int64_t sleep_until(uint64_t deadline_ns, px_user rest, bool absolute)
{
    int64_t result = px_wait(NULL, 0, px_slacked(deadline_ns));
    uint64_t now;

    if (result == -ETIMEDOUT)
        return 0;
    if (absolute)
        return -PX_ERESTARTNOHAND;
    now = px_now_ns();
    if (rest && write_timespec(rest, deadline_ns > now ? deadline_ns - now : 0) != 0)
        return -EFAULT;
    px_thread()->restart.deadline_ns = deadline_ns;
    px_thread()->restart.rest = rest;
    return -PX_ERESTART_BLOCK;
}

PX_SYS(restart_syscall)
{
    const struct px_thread *thread = px_thread();

    return thread->restart.deadline_ns ? sleep_until(thread->restart.deadline_ns, thread->restart.rest, false) : -EINTR;
}

PX_SYS(nanosleep)
{
    uint64_t ns;
    int64_t result = px_read_timespec(a, &ns);

    return result < 0 ? result : sleep_until(px_deadline_after(ns), b, false);
}

static bool is_processor_clock(int clock)
{
    return clock == CLOCK_PROCESS_CPUTIME_ID || clock < 0;
}

/* Until a processor clock tells `target_ns`. Nobody is told of that, so it looks: not before so much can have been used, if by one thread. */
static int64_t sleep_processor(int clock, uint64_t target_ns, px_user rest, bool absolute)
{
    uint64_t now;
    int64_t result = 0;

    while (read_clock(clock, &now) == 0 && now < target_ns && (result == 0 || result == -ETIMEDOUT)) {
        uint64_t left = target_ns - now;

        result = px_wait(NULL, 0, px_deadline_after(left > CPU_STEP_NS ? left : CPU_STEP_NS));
    }
    if (result == 0 || result == -ETIMEDOUT)
        return 0;
    if (absolute)
        return -PX_ERESTARTNOHAND;
    if (rest && write_timespec(rest, target_ns > now ? target_ns - now : 0) != 0)
        return -EFAULT;
    return -EINTR;
}

/* Clocks that Linux lets nobody sleep by. */
static bool no_sleeping(int clock)
{
    return clock >= CLOCK_THREAD_CPUTIME_ID && clock <= CLOCK_MONOTONIC_COARSE;
}

PX_SYS(clock_nanosleep)
{
    uint64_t ns, now;
    int64_t result = px_read_timespec(c, &ns);
    bool absolute = b & TIMER_ABSTIME;

    if (result == 0)
        result = no_sleeping((int)a) ? -EOPNOTSUPP : px_thread_of_clock((int)a) == px_thread() ? -EINVAL : read_clock((int)a, &now);
    if (result < 0)
        return result;
    if (is_processor_clock((int)a))
        return sleep_processor((int)a, absolute ? ns : now + ns, d, absolute);
    if (!absolute)
        return sleep_until(px_deadline_after(ns), d, false);
    return ns <= now ? 0 : sleep_until(px_deadline_after(ns - now), 0, true);
}
