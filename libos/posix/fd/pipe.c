/*
 * Pipes: rings of ring.h, copied into and out of by whoever reads and writes. A read or write enters the
 * kernel only to sleep, or to wake somebody who sleeps.
 */
#include <exo/loop.h>

#include "pipe.h"
#include "poll.h"

#define FIONREAD 0x541b

/* ---- moving data ---- */

/* Bytes in the ring; -1 if the positions are nonsense. */
static int64_t filled(const struct px_pipe *pipe)
{
    uint32_t bytes =
        __atomic_load_n(&pipe->tail, __ATOMIC_RELAXED) - __atomic_load_n(&pipe->head, __ATOMIC_RELAXED);

    return bytes > PX_PIPE_SIZE ? -1 : (int64_t)bytes;
}

/* How many bytes it takes. A relative may have written nonsense there. */
static size_t capacity(const struct px_pipe *pipe)
{
    uint32_t shortage = __atomic_load_n(&pipe->shortage, __ATOMIC_RELAXED);

    return shortage <= PX_PIPE_SIZE - PX_PIPE_BUF ? PX_PIPE_SIZE - shortage : PX_PIPE_BUF;
}

/* Room when so much is there. What there is always room for needs no look. */
static inline size_t room_beside(const struct px_pipe *pipe, size_t there)
{
    size_t all = capacity(pipe);

    return there < all ? all - there : 0;
}

/* Starts over at the first page: both positions in one store, so that nobody ever sees one without the other.
 */
static void make_empty(struct px_pipe *pipe)
{
    _Static_assert(offsetof(struct px_pipe, head) % 8 == 0, "head and tail share an aligned word");
    _Static_assert(offsetof(struct px_pipe, tail) == offsetof(struct px_pipe, head) + 4, "tail follows head");
    __atomic_store_n((uint64_t *)&pipe->head, 0, __ATOMIC_RELEASE);
}

/* With the lock. Positions that make no sense (a relative wrote them) are an empty pipe. */
static size_t filled_locked(struct px_pipe *pipe)
{
    int64_t bytes = filled(pipe);

    if (bytes >= 0)
        return (size_t)bytes;
    make_empty(pipe);
    return 0;
}

/* Writers sleep, or one wants a signal, which counts as sleeping. */
static inline void wake_writers(struct px_pipe *pipe, bool asleep)
{
    if (asleep)
        exo_wake_all(&pipe->read_seq);
    if (pipe->owner[PX_PIPE_WRITER])
        px_pipe_tell_writers(pipe);
}

/* Sleeps until the other side has moved (`sequence`) or gone (`tally`). Called with the lock, which it gives
 * back. */
PX_HOT static int64_t sleep_on(struct px_pipe *pipe, uint32_t *sequence, uint32_t *waiters, uint32_t *tally,
                        uint32_t tally_seen)
{
    struct exo_predicate unchanged[2] = {
        {.va = (uint64_t)sequence,
         .value = __atomic_load_n(sequence, __ATOMIC_RELAXED),
         .kind = EXO_WAIT_WORD},
        {.va = (uint64_t)tally, .value = tally_seen, .kind = EXO_WAIT_WORD},
    };
    int64_t result;

    px_lock_give(&pipe->lock);
    result = px_wait_counted(unchanged, 2, PX_DEADLINE_NEVER, waiters);
    return result < 0 && result != -ETIMEDOUT ? result : 0;
}

/* Copies out of the ring, in one or two pieces: bytes copied. */
PX_HOT static size_t take(struct px_pipe *pipe, px_user to, size_t bytes)
{
    uint32_t at = pipe->head % PX_PIPE_SIZE;
    size_t first = bytes < PX_PIPE_SIZE - at ? bytes : PX_PIPE_SIZE - at;
    size_t done = px_copy_out_part(to, PX_PIPE_DATA(pipe) + at, first);

    if (done == first && first < bytes)
        done += px_copy_out_part(to + first, PX_PIPE_DATA(pipe), bytes - first);
    return done;
}

PX_HOT static size_t put(struct px_pipe *pipe, uint32_t tail, px_user from, size_t bytes)
{
    uint32_t at = tail % PX_PIPE_SIZE;
    size_t first = bytes < PX_PIPE_SIZE - at ? bytes : PX_PIPE_SIZE - at;
    size_t done = px_copy_in_part(PX_PIPE_DATA(pipe) + at, from, first);

    if (done == first && first < bytes)
        done += px_copy_in_part(PX_PIPE_DATA(pipe), from + first, bytes - first);
    return done;
}

/* The read proper, with the lock and data there: gives the lock back. */
static int64_t read_locked(struct px_pipe *pipe, px_user to, size_t bytes, size_t there)
{
    size_t done = take(pipe, to, bytes < there ? bytes : there);

    if (done == 0) {
        px_lock_give(&pipe->lock);
        return -EFAULT;
    }
    if (done == there)
        make_empty(pipe);
    else
        __atomic_store_n(&pipe->head, pipe->head + (uint32_t)done, __ATOMIC_RELEASE);
    __atomic_fetch_add(&pipe->read_seq, 1, __ATOMIC_SEQ_CST);
    px_lock_give(&pipe->lock);
    if (__atomic_load_n(&pipe->write_waiters, __ATOMIC_SEQ_CST))
        wake_writers(pipe, room_beside(pipe, there) < PX_PIPE_BUF && room_beside(pipe, there - done) >= PX_PIPE_BUF);
    return (int64_t)done;
}

PX_HOT static int64_t pipe_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);
    int64_t result;

    if (!pipe)
        return -EIO;
    if (bytes == 0)
        return 0;
    for (;;) {
        uint32_t writers;
        size_t there;

        px_lock_take(&pipe->lock, PX_RANK_RING);
        there = filled_locked(pipe);
        if (there)
            return read_locked(pipe, to, bytes, there);
        writers = __atomic_load_n(&pipe->writers, __ATOMIC_SEQ_CST);
        if (!px_pipe_others(ofd, writers) || ofd->flags & O_NONBLOCK) {
            px_lock_give(&pipe->lock);
            return px_pipe_others(ofd, writers) ? -EAGAIN : 0;
        }
        result = sleep_on(pipe, &pipe->write_seq, &pipe->read_waiters, &pipe->writers, writers);
        if (result < 0)
            return result;
    }
}

int64_t px_pipe_peek(struct px_ofd *ofd, px_user to, size_t bytes, bool wait, struct px_pipe_mark *mark)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);

    if (!pipe)
        return -EIO;
    for (;;) {
        uint32_t writers;
        int64_t result;
        size_t there;

        px_lock_take(&pipe->lock, PX_RANK_RING);
        there = filled_locked(pipe);
        mark->head = pipe->head;
        if (there) {
            size_t done = take(pipe, to, bytes < there ? bytes : there);

            px_lock_give(&pipe->lock);
            return done ? (int64_t)done : -EFAULT;
        }
        writers = __atomic_load_n(&pipe->writers, __ATOMIC_SEQ_CST);
        if (!px_pipe_others(ofd, writers) || ofd->flags & O_NONBLOCK || !wait) {
            px_lock_give(&pipe->lock);
            return px_pipe_others(ofd, writers) ? -EAGAIN : 0;
        }
        result = sleep_on(pipe, &pipe->write_seq, &pipe->read_waiters, &pipe->writers, writers);
        if (result < 0)
            return result;
    }
}

void px_pipe_consume(struct px_ofd *ofd, const struct px_pipe_mark *mark, uint32_t bytes)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);
    bool taken;

    if (!pipe)
        return;
    px_lock_take(&pipe->lock, PX_RANK_RING);
    taken = pipe->head == mark->head && bytes <= filled_locked(pipe);
    if (taken && bytes == filled_locked(pipe))
        make_empty(pipe);
    else if (taken)
        __atomic_store_n(&pipe->head, pipe->head + bytes, __ATOMIC_RELEASE);
    __atomic_fetch_add(&pipe->read_seq, 1, __ATOMIC_SEQ_CST);
    px_lock_give(&pipe->lock);
    if (__atomic_load_n(&pipe->write_waiters, __ATOMIC_SEQ_CST))
        wake_writers(pipe, true);
}

uint32_t px_pipe_room(const struct px_ofd *ofd)
{
    const struct px_pipe *pipe = px_pipe_ring(ofd);
    int64_t there = pipe ? filled(pipe) : 0;

    if (!pipe || !px_pipe_others(ofd, __atomic_load_n(&pipe->readers, __ATOMIC_SEQ_CST)))
        return 1;
    return (uint32_t)room_beside(pipe, (size_t)(there < 0 ? 0 : there));
}

int64_t px_pipe_size(struct px_ofd *ofd, bool set, uint64_t wanted)
{
    struct px_pipe *pipe = ofd->kind == PX_OFD_PIPE ? px_pipe_ring(ofd) : NULL;
    uint32_t bytes = PX_PIPE_BUF;
    int64_t result;

    if (!pipe)
        return -EBADF;
    if (!set)
        return (int64_t)capacity(pipe);
    if ((uint32_t)wanted > 1u << 31)
        return -EINVAL;
    if ((uint32_t)wanted > PX_PIPE_SIZE)
        return -EPERM;
    while (bytes < (uint32_t)wanted)
        bytes *= 2;
    px_lock_take(&pipe->lock, PX_RANK_RING);
    result = filled_locked(pipe) > bytes ? -EBUSY : (int64_t)bytes;
    if (result >= 0)
        __atomic_store_n(&pipe->shortage, PX_PIPE_SIZE - bytes, __ATOMIC_RELAXED);
    __atomic_fetch_add(&pipe->read_seq, 1, __ATOMIC_SEQ_CST); /* writers may have room now */
    px_lock_give(&pipe->lock);
    if (__atomic_load_n(&pipe->write_waiters, __ATOMIC_SEQ_CST))
        wake_writers(pipe, true);
    return result;
}

int64_t px_pipe_wait_room(struct px_ofd *ofd)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);

    if (!pipe)
        return -EIO;
    if (ofd->flags & O_NONBLOCK)
        return -EAGAIN;
    px_lock_take(&pipe->lock, PX_RANK_RING);
    if (room_beside(pipe, filled_locked(pipe))) {
        px_lock_give(&pipe->lock);
        return 0;
    }
    return sleep_on(pipe, &pipe->read_seq, &pipe->write_waiters, &pipe->readers, __atomic_load_n(&pipe->readers, __ATOMIC_SEQ_CST));
}

/* What is to be written: one range, or the pieces of a gathered write. */
struct source {
    px_user from;
    const uint64_t *vector; /* base, bytes, base, bytes...; NULL: one range */
    uint64_t pieces;
    bool part, now; /* what fits is enough; do not wait for room */
};

static size_t put_source(struct px_pipe *pipe, const struct source *source, size_t at, size_t bytes)
{
    size_t done = 0;

    if (!source->vector)
        return put(pipe, pipe->tail, source->from + at, bytes);
    for (uint64_t i = 0; i < source->pieces; i++) {
        size_t moved =
            put(pipe, pipe->tail + (uint32_t)done, source->vector[2 * i], source->vector[2 * i + 1]);

        done += moved;
        if (moved < source->vector[2 * i + 1])
            break;
    }
    return done;
}

/* Writes what fits, with the lock, which it gives back. */
static int64_t write_locked(struct px_pipe *pipe, const struct source *source, size_t at, size_t bytes,
                            size_t there)
{
    size_t done = put_source(pipe, source, at, bytes);

    if (done == 0) {
        px_lock_give(&pipe->lock);
        return -EFAULT;
    }
    __atomic_store_n(&pipe->tail, pipe->tail + (uint32_t)done, __ATOMIC_RELEASE);
    __atomic_fetch_add(&pipe->write_seq, 1, __ATOMIC_SEQ_CST);
    px_lock_give(&pipe->lock);
    if (__atomic_load_n(&pipe->read_waiters, __ATOMIC_SEQ_CST)) {
        if (there == 0) /* they sleep only when there is nothing */
            exo_wake_all(&pipe->write_seq);
        if (pipe->owner[PX_PIPE_READER])
            px_pipe_tell_readers(pipe);
    }
    return (int64_t)done;
}

PX_HOT static int64_t write_source(struct px_ofd *ofd, const struct source *source, size_t bytes)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);
    size_t least = bytes <= PX_PIPE_BUF && !source->part ? bytes : 1; /* short writes go out whole or not at all */
    size_t total = 0;

    if (!pipe)
        return -EIO;
    while (total < bytes) {
        uint32_t readers;
        int64_t result;
        size_t there, room;

        px_lock_take(&pipe->lock, PX_RANK_RING);
        there = filled_locked(pipe);
        readers = __atomic_load_n(&pipe->readers, __ATOMIC_SEQ_CST);
        room = there == 0 && bytes <= PX_PIPE_BUF ? PX_PIPE_BUF : room_beside(pipe, there);
        if (px_pipe_others(ofd, readers) && room >= least) {
            result = write_locked(pipe, source, total, bytes - total < room ? bytes - total : room, there);
        } else if (!px_pipe_others(ofd, readers) || ofd->flags & O_NONBLOCK || source->now) {
            px_lock_give(&pipe->lock);
            result = px_pipe_others(ofd, readers) ? -EAGAIN : -EPIPE;
        } else {
            result = sleep_on(pipe, &pipe->read_seq, &pipe->write_waiters, &pipe->readers, readers);
        }
        if (result == -EPIPE)
            px_raise(SIGPIPE);
        if (result < 0)
            return total ? (int64_t)total : result;
        total += (size_t)result;
        if (source->part && result)
            break;
    }
    return (int64_t)total;
}

int64_t px_pipe_write_now(struct px_ofd *ofd, px_user from, size_t bytes, bool wait)
{
    struct source source = {.from = from, .part = true, .now = !wait};

    return write_source(ofd, &source, bytes);
}

PX_HOT static int64_t pipe_write(struct px_ofd *ofd, px_user from, size_t bytes, PX_UNUSED uint64_t *offset)
{
    struct source source = {.from = from};

    return write_source(ofd, &source, bytes);
}

int64_t px_pipe_write_vector(struct px_ofd *ofd, const uint64_t *vector, uint64_t pieces, size_t bytes)
{
    struct source source = {.vector = vector, .pieces = pieces};

    return write_source(ofd, &source, bytes);
}

/* ---- the rest ---- */

uint32_t px_pipe_sample(const struct px_ofd *ofd, uint32_t *sequence, uint32_t *tally,
                        struct exo_predicate *predicates, unsigned *count)
{
    uint32_t sequence_seen = __atomic_load_n(sequence, __ATOMIC_SEQ_CST);
    uint32_t tally_seen = __atomic_load_n(tally, __ATOMIC_SEQ_CST);

    if (predicates) {
        predicates[(*count)++] =
            (struct exo_predicate){.va = (uint64_t)sequence, .value = sequence_seen, .kind = EXO_WAIT_WORD};
        predicates[*count] = px_poll_tally(*count, tally, tally_seen, (uint32_t)ofd->word[2]);
        ++*count;
    }
    return px_pipe_others(ofd, tally_seen);
}

static void pipe_drop(struct px_ofd *ofd)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);

    for (unsigned i = 1; i <= 3 && !px_fd_exiting; i += 2) {
        if (ofd->word[i] >= PX_SLOT_FIRST_FREE)
            (void)!exo_cap_delete(ofd->word[i]);
    }
    if (pipe && (pipe->owner[0] || pipe->owner[1]))
        px_pipe_tell_of_end(ofd, pipe);
    if (pipe)
        px_ring_let_go((uint64_t)pipe);
    px_node_drop(&ofd->node); /* of a named FIFO */
}

/* A FIFO opened without a writer has no hang-up to tell of until one has come. */
static bool no_writer_yet(const struct px_ofd *ofd, const struct px_pipe *pipe)
{
    return ofd->word[PX_PIPE_WORD_ALONE] == (PX_PIPE_ALONE | __atomic_load_n(&pipe->write_seq, __ATOMIC_SEQ_CST));
}

static unsigned pipe_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates,
                          unsigned *count)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);
    uint32_t readers = 1, writers = 1;
    int64_t there;
    unsigned ready = 0;

    if (!pipe)
        return POLLERR;
    if (px_ofd_readable(ofd))
        writers = px_pipe_sample(ofd, &pipe->write_seq, &pipe->writers, predicates, count);
    if (px_ofd_writable(ofd))
        readers = px_pipe_sample(ofd, &pipe->read_seq, &pipe->readers, predicates, count);
    there = filled(pipe);
    if (there < 0)
        there = 0;
    if (px_ofd_readable(ofd))
        ready |= (there ? POLLIN | POLLRDNORM : 0u) | (writers || no_writer_yet(ofd, pipe) ? 0u : POLLHUP);
    if (px_ofd_writable(ofd))
        ready |= (room_beside(pipe, (size_t)there) >= PX_PIPE_BUF ? POLLOUT | POLLWRNORM : 0u) | (readers ? 0u : POLLERR);
    return ready & (events | POLLERR | POLLHUP);
}

void px_pipe_watch(struct px_ofd *ofd, int step)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);

    if (pipe && px_ofd_readable(ofd))
        __atomic_fetch_add(&pipe->read_waiters, (uint32_t)step, __ATOMIC_SEQ_CST);
    if (pipe && px_ofd_writable(ofd))
        __atomic_fetch_add(&pipe->write_waiters, (uint32_t)step, __ATOMIC_SEQ_CST);
}

static int64_t pipe_ioctl(struct px_ofd *ofd, uint64_t request, uint64_t argument)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);
    uint32_t bytes;

    if (request != FIONREAD || !pipe)
        return -ENOTTY;
    px_lock_take(&pipe->lock, PX_RANK_RING);
    bytes = (uint32_t)filled_locked(pipe);
    px_lock_give(&pipe->lock);
    return px_copy_out(argument, &bytes, sizeof bytes);
}

static int64_t pipe_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);

    if (!pipe)
        return -EIO;
    if (ofd->node.kind == PX_NODE_FS)
        return px_node_stat(&ofd->node, stat);
    stat->st_dev = PX_PIPE_DEV;
    stat->st_ino = pipe->ino;
    stat->st_nlink = 1;
    stat->st_mode = S_IFIFO | 0600;
    stat->st_uid = px_self()->euid;
    stat->st_gid = px_self()->egid;
    stat->st_blksize = 4096;
    stat->st_mtim.tv_sec = pipe->ctime_ns / (int64_t)PX_SECOND;
    stat->st_mtim.tv_nsec = pipe->ctime_ns % (int64_t)PX_SECOND;
    stat->st_atim = stat->st_ctim = stat->st_mtim;
    return 0;
}

PX_HOT_TABLE const struct px_ops px_pipe_ops = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .stat = pipe_stat,
    .poll = pipe_poll,
    .drop = pipe_drop,
    .own = px_pipe_own,
};
