/*
 * timerfd: a clock's deadline in the description, which relatives share. Nothing runs while nobody looks: whoever reads, polls or asks works out
 * from the clock how often the timer has expired since. Who sleeps on one in poll has this process's own timer bump the description's word
 * (px_timerfd_expire). word[0] next expiry in nanoseconds of CLOCK_MONOTONIC (0: disarmed), word[1] bumped at each change, word[2] interval,
 * word[3] expiries not read yet, word[4] clock.
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

enum { DEADLINE, SEQUENCE, INTERVAL, TICKS, CLOCK };

struct itimerspec {
    struct px_timespec interval, value;
};

static uint32_t *sequence(struct px_ofd *ofd)
{
    return (uint32_t *)&ofd->word[SEQUENCE];
}

static void bump(struct px_ofd *ofd)
{
    __atomic_fetch_add(sequence(ofd), 1, __ATOMIC_SEQ_CST);
    exo_wake_all(sequence(ofd));
}

/* With the lock: counts what has expired by now. True: something has. */
static bool advance(struct px_ofd *ofd, uint64_t now)
{
    uint64_t deadline = ofd->word[DEADLINE], interval = ofd->word[INTERVAL], count = 1;

    if (!deadline || now < deadline)
        return false;
    if (interval)
        count += (now - deadline) / interval;
    ofd->word[TICKS] += count;
    ofd->word[DEADLINE] = interval ? deadline + count * interval : 0;
    return true;
}

static uint64_t remaining(const struct px_ofd *ofd, uint64_t now)
{
    uint64_t deadline = ofd->word[DEADLINE];

    return !deadline ? 0 : deadline > now ? deadline - now : 1;
}

static int64_t timerfd_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    uint64_t ticks;

    if (bytes < sizeof ticks)
        return -EINVAL;
    for (;;) {
        uint64_t deadline;
        uint32_t seen;
        int64_t result;

        px_lock_take(&ofd->lock, PX_RANK_COUNTER);
        (void)advance(ofd, px_now_ns());
        ticks = ofd->word[TICKS];
        ofd->word[TICKS] = 0;
        deadline = ofd->word[DEADLINE] ? ofd->word[DEADLINE] : PX_DEADLINE_NEVER;
        seen = __atomic_load_n(sequence(ofd), __ATOMIC_SEQ_CST);
        px_lock_give(&ofd->lock);
        if (ticks)
            return px_copy_out(to, &ticks, sizeof ticks) ? -EFAULT : (int64_t)sizeof ticks;
        if (ofd->flags & O_NONBLOCK)
            return -EAGAIN;
        result = px_wait_word(sequence(ofd), seen, px_slacked(deadline));
        if (result < 0 && result != -ETIMEDOUT)
            return result;
    }
}

static unsigned timerfd_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    uint64_t deadline;
    bool ready, expired;

    px_lock_take(&ofd->lock, PX_RANK_COUNTER);
    expired = ofd->word[TICKS] == 0 && advance(ofd, px_now_ns());
    ready = ofd->word[TICKS] != 0;
    deadline = ofd->word[DEADLINE];
    px_lock_give(&ofd->lock);
    if (expired) /* an edge: the first expiry since the last read */
        bump(ofd);
    if (predicates) {
        predicates[(*count)++] = (struct exo_predicate){
            .va = (uint64_t)sequence(ofd), .value = __atomic_load_n(sequence(ofd), __ATOMIC_SEQ_CST), .kind = EXO_WAIT_WORD};
        if (deadline && !ready)
            px_timerfd_watch(deadline);
    }
    return (ready ? POLLIN | POLLRDNORM : 0u) & events;
}

uint64_t px_timerfd_expire(uint64_t now_ns)
{
    uint64_t next = PX_DEADLINE_NEVER;

    for (int fd = px_fd_next(0); fd >= 0; fd = px_fd_next((unsigned)fd + 1)) {
        struct px_ofd *ofd = px_fd_get(fd);
        uint64_t deadline;

        if (!ofd || ofd->kind != PX_OFD_TIMER)
            continue;
        deadline = __atomic_load_n(&ofd->word[DEADLINE], __ATOMIC_RELAXED);
        if (deadline && deadline <= now_ns) {
            if (!__atomic_load_n(&ofd->word[TICKS], __ATOMIC_RELAXED)) /* else the edge has been, and nobody sleeps */
                bump(ofd);
        } else if (deadline && deadline < next) {
            next = deadline;
        }
    }
    return next;
}

const struct px_ops px_timerfd_ops = {
    .name = "anon_inode:[timerfd]",
    .read = timerfd_read,
    .seek = px_anonymous_seek,
    .stat = px_anonymous_stat,
    .poll = timerfd_poll,
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
    ofd = px_ofd_new(PX_OFD_TIMER, O_RDWR | ((unsigned)b & O_NONBLOCK));
    if (!ofd)
        return -ENFILE;
    ofd->word[CLOCK] = (uint32_t)a;
    fd = px_fd_install(ofd, 0, b & O_CLOEXEC);
    if (fd < 0)
        px_ofd_abandon(ofd);
    return fd;
}

static int64_t find(int fd, struct px_ofd **ofd)
{
    *ofd = px_fd_get(fd);
    if (!*ofd)
        return -EBADF;
    return (*ofd)->kind == PX_OFD_TIMER ? 0 : -EINVAL;
}

static bool from_timespec(const struct px_timespec *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_nsec >= PX_SECOND)
        return false;
    *ns = (time->tv_sec < (int64_t)(INT64_MAX / PX_SECOND) ? (uint64_t)time->tv_sec : INT64_MAX / PX_SECOND) * PX_SECOND + (uint64_t)time->tv_nsec;
    return true;
}

static struct itimerspec current(struct px_ofd *ofd, uint64_t now)
{
    uint64_t left, interval;

    (void)advance(ofd, now);
    left = remaining(ofd, now);
    interval = ofd->word[INTERVAL];
    return (struct itimerspec){{(int64_t)(interval / PX_SECOND), (int64_t)(interval % PX_SECOND)}, {(int64_t)(left / PX_SECOND), (int64_t)(left % PX_SECOND)}};
}

/* When a timer of `value_ns`, which is not 0, expires; a time that has passed is now. */
static uint64_t deadline_of(const struct px_ofd *ofd, uint64_t value_ns, bool absolute, uint64_t now)
{
    bool real = ofd->word[CLOCK] == CLOCK_REALTIME || ofd->word[CLOCK] == CLOCK_REALTIME_ALARM;
    uint64_t clock = real ? px_real_ns() : now;

    if (absolute)
        value_ns = value_ns > clock ? value_ns - clock : 0;
    return px_deadline_after(value_ns);
}

PX_SYS(timerfd_settime)
{
    struct itimerspec next, before;
    uint64_t value_ns, interval_ns, now = px_now_ns();
    struct px_ofd *ofd;
    int64_t result;

    if (px_copy_in(&next, c, sizeof next) != 0)
        return -EFAULT;
    if (b & ~(uint64_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !from_timespec(&next.value, &value_ns) || !from_timespec(&next.interval, &interval_ns))
        return -EINVAL;
    result = find((int)a, &ofd);
    if (result < 0)
        return result;
    px_lock_take(&ofd->lock, PX_RANK_COUNTER);
    before = current(ofd, now);
    ofd->word[TICKS] = 0;
    ofd->word[INTERVAL] = value_ns ? interval_ns : 0;
    ofd->word[DEADLINE] = value_ns ? deadline_of(ofd, value_ns, b & TFD_TIMER_ABSTIME, now) : 0;
    px_lock_give(&ofd->lock);
    bump(ofd);
    return d ? px_copy_out(d, &before, sizeof before) : 0;
}

PX_SYS(timerfd_gettime)
{
    struct itimerspec now;
    struct px_ofd *ofd;
    int64_t result = find((int)a, &ofd);

    if (result < 0)
        return result;
    px_lock_take(&ofd->lock, PX_RANK_COUNTER);
    now = current(ofd, px_now_ns());
    px_lock_give(&ofd->lock);
    return px_copy_out(b, &now, sizeof now);
}
