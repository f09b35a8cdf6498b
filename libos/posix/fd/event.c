/*
 * eventfd: a counter in a page of its own, which relatives share, and whoever got the descriptor by a message. The page may be written by all of them, and
 * what they write there is a counter and nothing else.
 */
#include <exo/loop.h>

#include "entry/thread.h"
#include "fd.h"

#define EFD_SEMAPHORE 1u
#define COUNTER_MAX 0xfffffffffffffffeull

/* At word[0]. */
struct counter {
    uint64_t value;
    uint32_t sequence; /* bumped at each change */
    uint32_t lock;
    uint32_t semaphore;
    uint32_t shared; /* with others than those who hold the description */
};

/* NULL: the description lies. */
static struct counter *counter_of(const struct px_ofd *ofd)
{
    return px_ring_held(ofd->word[0]) ? (struct counter *)ofd->word[0] : NULL;
}

void px_event_shared(struct px_ofd *ofd)
{
    struct counter *counter = counter_of(ofd);

    if (counter)
        counter->shared = 1;
}

static void bump(struct px_ofd *ofd, struct counter *counter)
{
    __atomic_fetch_add(&counter->sequence, 1, __ATOMIC_SEQ_CST);
    if (px_threads.many || counter->shared || __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) > 1)
        exo_wake_all(&counter->sequence);
}

/* Changes the counter if that can be done now: 0 or -EAGAIN. */
static int64_t try_change(struct px_ofd *ofd, struct counter *counter, bool reading, uint64_t *value, uint32_t *seen)
{
    int64_t result = -EAGAIN;

    px_lock_take(&counter->lock, PX_RANK_COUNTER);
    *seen = __atomic_load_n(&counter->sequence, __ATOMIC_RELAXED);
    if (reading && counter->value) {
        *value = counter->semaphore ? 1 : counter->value;
        counter->value -= *value;
        result = 0;
    } else if (!reading && COUNTER_MAX - counter->value >= *value) {
        counter->value += *value;
        result = 0;
    }
    px_lock_give(&counter->lock);
    if (result == 0)
        bump(ofd, counter);
    return result;
}

static int64_t change(struct px_ofd *ofd, bool reading, uint64_t *value)
{
    struct counter *counter = counter_of(ofd);

    if (!counter)
        return -EIO;
    for (;;) {
        uint32_t seen;
        int64_t result = try_change(ofd, counter, reading, value, &seen);

        if (result == 0 || ofd->flags & O_NONBLOCK)
            return result;
        result = px_wait_word(&counter->sequence, seen, PX_DEADLINE_NEVER);
        if (result < 0)
            return result;
    }
}

bool px_event_is(const struct px_ofd *ofd)
{
    return ofd->kind == PX_OFD_EVENT;
}

void px_event_add(struct px_ofd *ofd)
{
    struct counter *counter = counter_of(ofd);
    uint64_t one = 1;
    uint32_t seen;

    if (counter)
        (void)!try_change(ofd, counter, false, &one, &seen);
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
    struct counter *counter = counter_of(ofd);
    uint32_t seen;
    uint64_t value;

    if (!counter)
        return POLLERR;
    seen = __atomic_load_n(&counter->sequence, __ATOMIC_SEQ_CST);
    value = __atomic_load_n(&counter->value, __ATOMIC_SEQ_CST);
    if (predicates)
        predicates[(*count)++] =
            (struct exo_predicate){.va = (uint64_t)&counter->sequence, .value = seen, .kind = EXO_WAIT_WORD};
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

static void event_drop(struct px_ofd *ofd)
{
    px_ring_let_go(ofd->word[0]);
}

static void event_tell(struct px_ofd *ofd, struct px_text *text)
{
    const struct counter *counter = counter_of(ofd);

    if (counter)
        px_text_add(text, "eventfd-count: %16lx\n", (unsigned long)counter->value);
}

const struct px_ops px_event_ops = {
    .tell = event_tell,
    .name = "anon_inode:[eventfd]",
    .read = event_read,
    .write = event_write,
    .seek = px_anonymous_seek,
    .stat = px_anonymous_stat,
    .poll = event_poll,
    .drop = event_drop,
};

struct px_ofd *px_anonymous_new(enum px_ofd_kind kind, unsigned flags)
{
    uint64_t va = px_ring_new(1);
    struct px_ofd *ofd = va ? px_ofd_new(kind, flags) : NULL;

    if (ofd && px_ring_hold(va, 1, false)) {
        ofd->word[0] = va;
        return ofd;
    }
    if (ofd)
        px_ofd_abandon(ofd);
    if (va)
        px_ring_free(va, 1);
    return NULL;
}

static int64_t event_new(uint64_t value, unsigned flags)
{
    struct px_ofd *ofd;
    int64_t fd;

    if (flags & ~(EFD_SEMAPHORE | (unsigned)O_NONBLOCK | (unsigned)O_CLOEXEC))
        return -EINVAL;
    ofd = px_anonymous_new(PX_OFD_EVENT, O_RDWR | (flags & O_NONBLOCK));
    if (!ofd)
        return -ENFILE;
    counter_of(ofd)->value = value;
    counter_of(ofd)->semaphore = flags & EFD_SEMAPHORE;
    fd = px_fd_install(ofd, 0, flags & O_CLOEXEC);
    if (fd < 0)
        px_ofd_leave(ofd);
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
