/*
 * timerfd: a clock's deadline in a page of its own, as an eventfd's counter (event.c). Nothing runs while nobody looks: whoever reads, polls or asks works
 * out from the clock how often the timer has expired since. Who sleeps on one in poll has this process's own timer bump the sequence (px_timerfd_expire).
 */
#include <exo/loop.h>

#include "entry/timer.h"
#include "fd.h"

#define TFD_TIMER_ABSTIME 1u
#define TFD_TIMER_CANCEL_ON_SET 2u
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9

/* At word[0]. */
struct timer {
    uint64_t deadline_ns; /* next expiry, of CLOCK_MONOTONIC; 0: disarmed */
    uint64_t interval_ns;
    uint64_t ticks;    /* expiries not read yet */
    uint32_t sequence; /* bumped at each change */
    uint32_t lock;
    uint32_t clock;
};

/* NULL: the description lies. */
static struct timer *timer_of(const struct px_ofd *ofd)
{
    return px_ring_held(ofd->word[0]) ? (struct timer *)ofd->word[0] : NULL;
}

struct itimerspec {
    struct px_timespec interval, value;
};

static void bump(struct timer *timer)
{
    __atomic_fetch_add(&timer->sequence, 1, __ATOMIC_SEQ_CST);
    exo_wake_all(&timer->sequence);
}

/* With the lock: counts what has expired by now. True: something has. */
static bool advance(struct timer *timer, uint64_t now)
{
    uint64_t deadline = timer->deadline_ns, interval = timer->interval_ns, count = 1;

    if (!deadline || now < deadline)
        return false;
    if (interval)
        count += (now - deadline) / interval;
    timer->ticks += count;
    timer->deadline_ns = interval ? deadline + count * interval : 0;
    return true;
}

static uint64_t remaining(const struct timer *timer, uint64_t now)
{
    uint64_t deadline = timer->deadline_ns;

    return !deadline ? 0 : deadline > now ? deadline - now : 1;
}

static int64_t timerfd_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    struct timer *timer = timer_of(ofd);
    uint64_t ticks;

    if (bytes < sizeof ticks)
        return -EINVAL;
    if (!timer)
        return -EIO;
    for (;;) {
        uint64_t deadline;
        uint32_t seen;
        int64_t result;

        px_lock_take(&timer->lock, PX_RANK_COUNTER);
        (void)advance(timer, px_now_ns());
        ticks = timer->ticks;
        timer->ticks = 0;
        deadline = timer->deadline_ns ? timer->deadline_ns : PX_DEADLINE_NEVER;
        seen = __atomic_load_n(&timer->sequence, __ATOMIC_SEQ_CST);
        px_lock_give(&timer->lock);
        if (ticks)
            return px_copy_out(to, &ticks, sizeof ticks) ? -EFAULT : (int64_t)sizeof ticks;
        if (ofd->flags & O_NONBLOCK)
            return -EAGAIN;
        result = px_wait_word(&timer->sequence, seen, px_slacked(deadline));
        if (result < 0 && result != -ETIMEDOUT)
            return result;
    }
}

static unsigned timerfd_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    struct timer *timer = timer_of(ofd);
    uint64_t deadline;
    bool ready, expired;

    if (!timer)
        return POLLERR;
    px_lock_take(&timer->lock, PX_RANK_COUNTER);
    expired = timer->ticks == 0 && advance(timer, px_now_ns());
    ready = timer->ticks != 0;
    deadline = timer->deadline_ns;
    px_lock_give(&timer->lock);
    if (expired) /* an edge: the first expiry since the last read */
        bump(timer);
    if (predicates) {
        predicates[(*count)++] = (struct exo_predicate){
            .va = (uint64_t)&timer->sequence, .value = __atomic_load_n(&timer->sequence, __ATOMIC_SEQ_CST), .kind = EXO_WAIT_WORD};
        if (deadline && !ready)
            px_timerfd_watch(deadline);
    }
    return (ready ? POLLIN | POLLRDNORM : 0u) & events;
}

uint64_t px_timerfd_expire(uint64_t now_ns)
{
    uint64_t next = PX_DEADLINE_NEVER;

    for (int fd = px_fd_next(0); fd >= 0; fd = px_fd_next((unsigned)fd + 1)) {
        const struct px_ofd *ofd = px_fd_get(fd);
        struct timer *timer = ofd && ofd->kind == PX_OFD_TIMER ? timer_of(ofd) : NULL;
        uint64_t deadline;

        if (!timer)
            continue;
        deadline = __atomic_load_n(&timer->deadline_ns, __ATOMIC_RELAXED);
        if (deadline && deadline <= now_ns) {
            if (!__atomic_load_n(&timer->ticks, __ATOMIC_RELAXED)) /* else the edge has been, and nobody sleeps */
                bump(timer);
        } else if (deadline && deadline < next) {
            next = deadline;
        }
    }
    return next;
}

static void timerfd_drop(struct px_ofd *ofd)
{
    px_ring_let_go(ofd->word[0]);
}

static void timerfd_tell(struct px_ofd *ofd, struct px_text *text)
{
    const struct timer *timer = timer_of(ofd);
    uint64_t value = timer ? remaining(timer, px_now_ns()) : 0;

    if (timer)
        px_text_add(text, "clockid: %u\nticks: %lu\nsettime flags: 00\nit_value: (%lu, %lu)\nit_interval: (%lu, %lu)\n", timer->clock,
                    (unsigned long)timer->ticks, (unsigned long)(value / PX_SECOND), (unsigned long)(value % PX_SECOND),
                    (unsigned long)(timer->interval_ns / PX_SECOND), (unsigned long)(timer->interval_ns % PX_SECOND));
}

const struct px_ops px_timerfd_ops = {
    .tell = timerfd_tell,
    .name = "anon_inode:[timerfd]",
    .read = timerfd_read,
    .seek = px_anonymous_seek,
    .stat = px_anonymous_stat,
    .poll = timerfd_poll,
    .drop = timerfd_drop,
};

PX_SYS(timerfd_create)
{
    struct px_ofd *ofd;
    int64_t fd;

    if (b & ~(uint64_t)(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    switch ((int)a) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
        break;
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        if (px_self()->euid != 0)
            return -EPERM;
        break;
    default:
        return -EINVAL;
    }
    ofd = px_anonymous_new(PX_OFD_TIMER, O_RDWR | ((unsigned)b & O_NONBLOCK));
    if (!ofd)
        return -ENFILE;
    timer_of(ofd)->clock = (uint32_t)a;
    fd = px_fd_install(ofd, 0, b & O_CLOEXEC);
    if (fd < 0)
        px_ofd_leave(ofd);
    return fd;
}

static int64_t find(int fd, struct timer **timer)
{
    const struct px_ofd *ofd = px_fd_get(fd);

    if (!ofd)
        return -EBADF;
    if (ofd->kind != PX_OFD_TIMER)
        return -EINVAL;
    *timer = timer_of(ofd);
    return *timer ? 0 : -EIO;
}

static bool from_timespec(const struct px_timespec *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_nsec >= PX_SECOND)
        return false;
    *ns = (time->tv_sec < (int64_t)(INT64_MAX / PX_SECOND) ? (uint64_t)time->tv_sec : INT64_MAX / PX_SECOND) * PX_SECOND + (uint64_t)time->tv_nsec;
    return true;
}

static struct itimerspec current(struct timer *timer, uint64_t now)
{
    uint64_t left, interval;

    (void)advance(timer, now);
    left = remaining(timer, now);
    interval = timer->interval_ns;
    return (struct itimerspec){{(int64_t)(interval / PX_SECOND), (int64_t)(interval % PX_SECOND)}, {(int64_t)(left / PX_SECOND), (int64_t)(left % PX_SECOND)}};
}

/* When a timer of `value_ns`, which is not 0, expires; a time that has passed is now. */
static uint64_t deadline_of(const struct timer *timer, uint64_t value_ns, bool absolute, uint64_t now)
{
    bool real = timer->clock == CLOCK_REALTIME || timer->clock == CLOCK_REALTIME_ALARM;
    uint64_t clock = real ? px_real_ns() : now;

    if (absolute)
        value_ns = value_ns > clock ? value_ns - clock : 0;
    return px_deadline_after(value_ns);
}

PX_SYS(timerfd_settime)
{
    struct itimerspec next, before;
    uint64_t value_ns, interval_ns, now = px_now_ns();
    struct timer *timer;
    int64_t result;

    if (px_copy_in(&next, c, sizeof next) != 0)
        return -EFAULT;
    if (b & ~(uint64_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !from_timespec(&next.value, &value_ns) || !from_timespec(&next.interval, &interval_ns))
        return -EINVAL;
    result = find((int)a, &timer);
    if (result < 0)
        return result;
    px_lock_take(&timer->lock, PX_RANK_COUNTER);
    before = current(timer, now);
    timer->ticks = 0;
    timer->interval_ns = value_ns ? interval_ns : 0;
    timer->deadline_ns = value_ns ? deadline_of(timer, value_ns, b & TFD_TIMER_ABSTIME, now) : 0;
    px_lock_give(&timer->lock);
    bump(timer);
    return d ? px_copy_out(d, &before, sizeof before) : 0;
}

PX_SYS(timerfd_gettime)
{
    struct itimerspec now;
    struct timer *timer;
    int64_t result = find((int)a, &timer);

    if (result < 0)
        return result;
    px_lock_take(&timer->lock, PX_RANK_COUNTER);
    now = current(timer, px_now_ns());
    px_lock_give(&timer->lock);
    return px_copy_out(b, &now, sizeof now);
}
