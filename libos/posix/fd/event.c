/* eventfd: a counter in the description itself, which relatives share. word[0] the counter, word[1] bumped at
 * each change, word[2] 1: a semaphore. */
#include <exo/loop.h>

#include "entry/thread.h"
#include "fd.h"

#define EFD_SEMAPHORE 1u
#define COUNTER_MAX 0xfffffffffffffffeull

static uint32_t *sequence(struct px_ofd *ofd)
{
    return (uint32_t *)&ofd->word[1];
}

static void bump(struct px_ofd *ofd)
{
    __atomic_fetch_add(sequence(ofd), 1, __ATOMIC_SEQ_CST);
    if (px_threads.many || __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) > 1)
        exo_wake_all(sequence(ofd));
}

/* Changes the counter if that can be done now: 0 or -EAGAIN. */
static int64_t try_change(struct px_ofd *ofd, bool reading, uint64_t *value, uint32_t *seen)
{
    int64_t result = -EAGAIN;

    px_lock_take(&ofd->lock, PX_RANK_COUNTER);
    *seen = __atomic_load_n(sequence(ofd), __ATOMIC_RELAXED);
    if (reading && ofd->word[0]) {
        *value = ofd->word[2] ? 1 : ofd->word[0];
        ofd->word[0] -= *value;
        result = 0;
    } else if (!reading && COUNTER_MAX - ofd->word[0] >= *value) {
        ofd->word[0] += *value;
        result = 0;
    }
    px_lock_give(&ofd->lock);
    if (result == 0)
        bump(ofd);
    return result;
}

static int64_t change(struct px_ofd *ofd, bool reading, uint64_t *value)
{
    for (;;) {
        uint32_t seen;
        int64_t result = try_change(ofd, reading, value, &seen);

        if (result == 0 || ofd->flags & O_NONBLOCK)
            return result;
        result = px_wait_word(sequence(ofd), seen, PX_DEADLINE_NEVER);
        if (result < 0)
            return result;
    }
}

static int64_t event_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    uint64_t value;
    int64_t result;

    if (bytes < sizeof value)
        return -EINVAL;
    result = change(ofd, true, &value);
    if (result < 0)
        return result;
    return px_copy_out(to, &value, sizeof value) ? -EFAULT : (int64_t)sizeof value;
}

static int64_t event_write(struct px_ofd *ofd, px_user from, size_t bytes, PX_UNUSED uint64_t *offset)
{
    uint64_t value;
    int64_t result;

    if (bytes < sizeof value)
        return -EINVAL;
    if (px_copy_in(&value, from, sizeof value) != 0)
        return -EFAULT;
    if (value > COUNTER_MAX)
        return -EINVAL;
    result = change(ofd, false, &value);
    return result < 0 ? result : (int64_t)sizeof value;
}

static unsigned event_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates,
                           unsigned *count)
{
    uint32_t seen = __atomic_load_n(sequence(ofd), __ATOMIC_SEQ_CST);
    uint64_t value = __atomic_load_n(&ofd->word[0], __ATOMIC_SEQ_CST);

    if (predicates)
        predicates[(*count)++] =
            (struct exo_predicate){.va = (uint64_t)sequence(ofd), .value = seen, .kind = EXO_WAIT_WORD};
    return ((value ? POLLIN | POLLRDNORM : 0u) | (value < COUNTER_MAX ? POLLOUT | POLLWRNORM : 0u)) & events;
}

int64_t px_anonymous_seek(PX_UNUSED struct px_ofd *ofd, PX_UNUSED int64_t offset, PX_UNUSED int whence)
{
    return 0;
}

int64_t px_anonymous_stat(PX_UNUSED struct px_ofd *ofd, struct px_stat *stat)
{
    stat->st_dev = 15;
    stat->st_ino = 1;
    stat->st_nlink = 1;
    stat->st_mode = 0600;
    stat->st_blksize = 4096;
    return 0;
}

const struct px_ops px_event_ops = {
    .name = "anon_inode:[eventfd]",
    .read = event_read,
    .write = event_write,
    .seek = px_anonymous_seek,
    .stat = px_anonymous_stat,
    .poll = event_poll,
};

static int64_t event_new(uint64_t value, unsigned flags)
{
    struct px_ofd *ofd;
    int64_t fd;

    if (flags & ~(EFD_SEMAPHORE | (unsigned)O_NONBLOCK | (unsigned)O_CLOEXEC))
        return -EINVAL;
    ofd = px_ofd_new(PX_OFD_EVENT, O_RDWR | (flags & O_NONBLOCK));
    if (!ofd)
        return -ENFILE;
    ofd->word[0] = value;
    ofd->word[2] = flags & EFD_SEMAPHORE;
    fd = px_fd_install(ofd, 0, flags & O_CLOEXEC);
    if (fd < 0)
        px_ofd_abandon(ofd);
    return fd;
}

PX_SYS(eventfd)
{
    return event_new((uint32_t)a, 0);
}

PX_SYS(eventfd2)
{
    return event_new((uint32_t)a, (unsigned)b);
}
