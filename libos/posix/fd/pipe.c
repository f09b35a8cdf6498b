/*
 * long: making, named FIFOs and moving data keep the same invariants of one ring.
 *
 * Pipes: rings of ring.h, copied into and out of by whoever reads and writes. A description of a pipe has in
 * word[0] the ring's address and in word[1] this end's tally capability: a handle that fork copies to the
 * same slot, so each process's own holding is counted by the kernel. Of a named FIFO fs holds the ring, and a
 * capability to each tally: word[2] is 1, what a tally counts too much; one open for both directions has the
 * writers' capability in word[3].
 * A read or write enters the kernel only to sleep, or to wake somebody who sleeps.
 */
#include "fd.h"

#include "proto/fs.h"

#define READ_END 0u
#define WRITE_END 1u
#define RINGS_MAX 1024u /* rings that one process can hold */
#define CACHE_MAX 2u
#define FIONREAD 0x541b

/* This process's rings: how many of its descriptions lie on each, and whether a relative can have it mapped.
 */
struct holding {
    uint64_t va;
    uint32_t descriptions;
    bool inherited;
};
static struct holding first_holdings[16];
static struct holding *holdings = first_holdings;
static unsigned holding_count, holding_room = 16;

static uint64_t cache[CACHE_MAX]; /* rings that nobody else ever saw, ready for use */
static unsigned cached;
static uint64_t last_ino = 4096;

struct px_pipe *px_pipe_ring(const struct px_ofd *ofd)
{
    uint64_t va = ofd->word[0];

    if (va < PX_SHARED || va > PX_SHARED_HI - PX_PIPE_PAGES * PX_PAGE || va % PX_PAGE)
        return NULL;
    return (struct px_pipe *)va;
}

/* Ends of the other side, when the tally's word is `count`. */
static uint32_t others(const struct px_ofd *ofd, uint32_t count)
{
    uint32_t surplus = (uint32_t)ofd->word[2];

    return count > surplus ? count - surplus : 0;
}

/* ---- holdings ---- */

static struct holding *holding_of(uint64_t va)
{
    for (unsigned i = holding_count; i-- > 0;) {
        if (holdings[i].va == va)
            return &holdings[i];
    }
    return NULL;
}

static bool holding_add(uint64_t va, bool inherited)
{
    struct holding *known = holding_of(va);

    if (known) {
        known->descriptions++;
        return true;
    }
    if (holding_count == holding_room) {
        struct holding *more = holding_room < RINGS_MAX ? px_alloc(2 * holding_room * sizeof *more) : NULL;

        if (!more)
            return false;
        memcpy(more, holdings, holding_count * sizeof *more);
        if (holdings != first_holdings)
            px_free(holdings);
        holdings = more;
        holding_room *= 2;
    }
    holdings[holding_count++] = (struct holding){.va = va, .descriptions = 1, .inherited = inherited};
    return true;
}

static void ring_free(uint64_t va)
{
    (void)!exo_unmap_all(PX_SLOT_SELF, va, PX_PIPE_PAGES);
    px_shared_release(va, PX_PIPE_PAGES);
}

/* One description fewer on the ring; with the last one the ring goes, or is kept for the next pipe if nobody
 * else can see it. */
static void holding_drop(uint64_t va)
{
    struct holding *known = holding_of(va);
    bool inherited;

    if (!known || --known->descriptions)
        return;
    inherited = known->inherited;
    *known = holdings[--holding_count];
    if (px_fd_exiting)
        return;
    if (!inherited && cached < CACHE_MAX)
        cache[cached++] = va;
    else
        ring_free(va);
}

/* A fork is near: from now on others may map these rings. The cache would be copied with its rings shared:
 * give it up. */
void px_pipe_inherited(void)
{
    for (unsigned i = 0; i < holding_count; i++)
        holdings[i].inherited = true;
    while (cached)
        ring_free(cache[--cached]);
}

/* ---- making ---- */

static uint64_t ring_new(void)
{
    uint64_t va;

    if (cached) {
        va = cache[--cached];
        memset((void *)va, 0, sizeof(struct px_pipe));
        return va;
    }
    va = px_shared_reserve(PX_PIPE_PAGES);
    if (!va)
        return 0;
    if (exo_alloc_all(PX_SLOT_SELF, va, PX_PIPE_PAGES, EXO_PROT_READ | EXO_PROT_WRITE, NULL) != 0) {
        ring_free(va);
        return 0;
    }
    return va;
}

static struct px_ofd *end_new(uint64_t va, unsigned end, unsigned flags, int64_t tally)
{
    struct px_ofd *ofd = px_ofd_new(PX_OFD_PIPE, flags | (end == READ_END ? O_RDONLY : O_WRONLY));

    if (!ofd)
        return NULL;
    if (!holding_add(va, false)) {
        px_ofd_abandon(ofd);
        return NULL;
    }
    ofd->word[0] = va;
    ofd->word[1] = (uint64_t)tally;
    return ofd;
}

/* Undoes end_new. The tally is the caller's. */
static void end_abandon(struct px_ofd *ofd)
{
    uint64_t va = ofd->word[0];

    px_ofd_abandon(ofd);
    holding_drop(va);
}

int64_t px_pipe_new(unsigned flags, struct px_ofd *ends[2])
{
    uint64_t va = ring_new();
    struct px_pipe *pipe = (struct px_pipe *)va;
    int64_t readers, writers;

    if (!va)
        return -ENFILE;
    readers = exo_tally_create(&pipe->readers);
    writers = readers < 0 ? -1 : exo_tally_create(&pipe->writers);
    if (writers < 0)
        goto no_tallies;
    ends[0] = end_new(va, READ_END, flags, readers);
    if (!ends[0])
        goto no_ends;
    ends[1] = end_new(va, WRITE_END, flags, writers);
    if (!ends[1]) {
        (void)!exo_cap_delete((uint64_t)readers);
        (void)!exo_cap_delete((uint64_t)writers);
        end_abandon(ends[0]);
        return -ENFILE;
    }
    pipe->version = PX_PIPE_VERSION;
    pipe->flags = PX_PIPE_ATTACHED;
    pipe->ino = ++last_ino + (uint64_t)px_self()->pid * 4096;
    pipe->ctime_ns = (int64_t)px_real_ns();
    return 0;
no_ends:
    (void)!exo_cap_delete((uint64_t)writers);
no_tallies:
    if (readers >= 0)
        (void)!exo_cap_delete((uint64_t)readers);
    ring_free(va);
    return -ENFILE;
}

int64_t px_pipe_adopt(uint64_t ring_va, bool write_end, unsigned flags, struct px_ofd **ofd)
{
    struct px_pipe *pipe = (struct px_pipe *)ring_va;
    int64_t tally = exo_tally_create(write_end ? &pipe->writers : &pipe->readers);

    if (tally < 0)
        return -ENFILE;
    *ofd = end_new(ring_va, write_end ? WRITE_END : READ_END, flags, tally);
    if (!*ofd) {
        (void)!exo_cap_delete((uint64_t)tally);
        return -ENFILE;
    }
    __atomic_fetch_or(&pipe->flags, PX_PIPE_ATTACHED, __ATOMIC_SEQ_CST);
    return 0;
}

/* Another description of the same ring. An end that the process has no capability to cannot be made. */
int64_t px_pipe_reopen(const struct px_ofd *old, unsigned flags, struct px_ofd **ofd)
{
    struct px_pipe *pipe = px_pipe_ring(old);
    unsigned end = (flags & O_ACCMODE) == O_RDONLY ? READ_END : WRITE_END;
    int64_t tally;

    if (!pipe)
        return -EIO;
    if ((flags & O_ACCMODE) != (old->flags & O_ACCMODE))
        return -EACCES;
    tally = exo_cap_copy(PX_SLOT_SELF, 0, old->word[1], ~0ull, 0);
    if (tally < 0)
        return -ENFILE;
    *ofd = end_new((uint64_t)pipe, end, flags & O_NONBLOCK, tally);
    if (!*ofd) {
        (void)!exo_cap_delete((uint64_t)tally);
        return -ENFILE;
    }
    return 0;
}

/* The words that tell one side what the other does: sampled, and slept on if `predicates`. Returns how many
 * ends the other side has. */
static uint32_t sample(const struct px_ofd *ofd, uint32_t *sequence, uint32_t *tally,
                       struct exo_predicate *predicates, unsigned *count)
{
    uint32_t sequence_seen = __atomic_load_n(sequence, __ATOMIC_SEQ_CST);
    uint32_t tally_seen = __atomic_load_n(tally, __ATOMIC_SEQ_CST);

    if (predicates) {
        predicates[(*count)++] =
            (struct exo_predicate){.va = (uint64_t)sequence, .value = sequence_seen, .kind = EXO_WAIT_WORD};
        predicates[(*count)++] =
            (struct exo_predicate){.va = (uint64_t)tally, .value = tally_seen, .kind = EXO_WAIT_WORD};
    }
    return others(ofd, tally_seen);
}

/* ---- named FIFOs ---- */

/* Asks fs for one end: the ring comes to va; a tally capability or -errno. *others_seq: the other side's
 * sequence before we counted. */
static int64_t fifo_end(const struct px_node *node, uint64_t va, unsigned rights, uint32_t *others_seq)
{
    struct exo_message message = {.word = {PX_FS_FIFO, PX_FS_NODE(node->ino, node->gen), va, rights, 0}};
    int64_t result = px_call_server(PX_SLOT_FS, &message);

    *others_seq = (uint32_t)message.word[1];
    return result < 0 ? result : (int64_t)message.word[4];
}

/*
 * An open for reading waits for a writer and the other way round. Opening bumps the own sequence, and the
 * wait begins at what the other's was before we counted: who comes, writes and leaves before we look is seen
 * all the same.
 */
static int64_t fifo_meet(struct px_ofd *ofd, struct px_pipe *pipe, uint32_t others_seq)
{
    bool reading = (ofd->flags & O_ACCMODE) == O_RDONLY;
    uint32_t *own = reading ? &pipe->read_seq : &pipe->write_seq,
             *sequence = reading ? &pipe->write_seq : &pipe->read_seq;
    uint32_t *tally = reading ? &pipe->writers : &pipe->readers;
    struct exo_predicate predicates[2];
    unsigned count = 0;
    int64_t result;

    __atomic_fetch_add(own, 1, __ATOMIC_SEQ_CST);
    (void)!exo_wake(own, ~0ull);
    if ((ofd->flags & O_ACCMODE) == O_RDWR || sample(ofd, sequence, tally, predicates, &count))
        return 0;
    if (ofd->flags & O_NONBLOCK)
        return reading ? 0 : -ENXIO;
    predicates[0].value = others_seq;
    result = px_wait(predicates, count, PX_DEADLINE_NEVER);
    return result < 0 ? result : 0;
}

static int64_t fifo_ends(struct px_ofd *ofd, const struct px_node *node, uint64_t va, uint32_t *others_seq)
{
    unsigned access = ofd->flags & O_ACCMODE;
    int64_t tally = fifo_end(node, va, access == O_WRONLY ? 2 : 4, others_seq);

    if (tally < 0)
        return tally;
    ofd->word[1] = (uint64_t)tally;
    if (access != O_RDWR)
        return 0;
    tally = fifo_end(node, va, 2, others_seq);
    if (tally >= 0)
        ofd->word[3] = (uint64_t)tally;
    return tally < 0 ? tally : 0;
}

int64_t px_pipe_open_fifo(const struct px_node *node, unsigned flags, struct px_ofd **ofd)
{
    uint64_t va = px_shared_reserve(PX_PIPE_PAGES);
    uint32_t others_seq;
    int64_t result;

    if (!va)
        return -ENOMEM;
    *ofd = px_ofd_new(PX_OFD_PIPE, flags);
    if (!*ofd || !holding_add(va, true)) {
        if (*ofd)
            px_ofd_abandon(*ofd);
        px_shared_release(va, PX_PIPE_PAGES);
        return -ENFILE;
    }
    (*ofd)->node = *node;
    (*ofd)->word[0] = va;
    (*ofd)->word[2] = 1;
    result = fifo_ends(*ofd, node, va, &others_seq);
    if (result == 0)
        result = fifo_meet(*ofd, (struct px_pipe *)va, others_seq);
    if (result < 0)
        px_ofd_leave(*ofd); /* gives back the capabilities and the ring */
    return result;
}

static void pipe_drop(struct px_ofd *ofd)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);

    for (unsigned i = 1; i <= 3 && !px_fd_exiting; i += 2) {
        if (ofd->word[i] >= PX_SLOT_FIRST_FREE)
            (void)!exo_cap_delete(ofd->word[i]);
    }
    if (pipe)
        holding_drop((uint64_t)pipe);
}

/* ---- moving data ---- */

/* Bytes in the ring; -1 if the positions are nonsense. */
static int64_t filled(const struct px_pipe *pipe)
{
    uint32_t bytes =
        __atomic_load_n(&pipe->tail, __ATOMIC_RELAXED) - __atomic_load_n(&pipe->head, __ATOMIC_RELAXED);

    return bytes > PX_PIPE_SIZE ? -1 : (int64_t)bytes;
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

static void wake_all(uint32_t *word, const uint32_t *waiters)
{
    if (__atomic_load_n(waiters, __ATOMIC_SEQ_CST))
        (void)!exo_wake(word, ~0ull);
}

/* Sleeps until the other side has moved (`sequence`) or gone (`tally`). Called with the lock, which it gives
 * back. */
static int64_t sleep_on(struct px_pipe *pipe, uint32_t *sequence, uint32_t *waiters, uint32_t *tally,
                        uint32_t tally_seen)
{
    struct exo_predicate unchanged[2] = {
        {.va = (uint64_t)sequence,
         .value = __atomic_load_n(sequence, __ATOMIC_RELAXED),
         .kind = EXO_WAIT_WORD},
        {.va = (uint64_t)tally, .value = tally_seen, .kind = EXO_WAIT_WORD},
    };
    int64_t result;

    __atomic_fetch_add(waiters, 1, __ATOMIC_SEQ_CST);
    px_lock_give(&pipe->lock);
    result = px_wait(unchanged, 2, PX_DEADLINE_NEVER);
    __atomic_fetch_sub(waiters, 1, __ATOMIC_RELAXED);
    return result < 0 && result != -ETIMEDOUT ? result : 0;
}

/* Copies out of the ring, in one or two pieces: bytes copied. */
static size_t take(struct px_pipe *pipe, px_user to, size_t bytes)
{
    uint32_t at = pipe->head % PX_PIPE_SIZE;
    size_t first = bytes < PX_PIPE_SIZE - at ? bytes : PX_PIPE_SIZE - at;
    size_t done = px_copy_out_part(to, PX_PIPE_DATA(pipe) + at, first);

    if (done == first && first < bytes)
        done += px_copy_out_part(to + first, PX_PIPE_DATA(pipe), bytes - first);
    return done;
}

static size_t put(struct px_pipe *pipe, uint32_t tail, px_user from, size_t bytes)
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
    size_t room_before = PX_PIPE_SIZE - there;

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
    if (room_before < PX_PIPE_BUF && room_before + done >= PX_PIPE_BUF)
        wake_all(&pipe->read_seq, &pipe->write_waiters);
    return (int64_t)done;
}

static int64_t pipe_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
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

        px_lock_take(&pipe->lock);
        there = filled_locked(pipe);
        if (there)
            return read_locked(pipe, to, bytes, there);
        writers = __atomic_load_n(&pipe->writers, __ATOMIC_SEQ_CST);
        if (!others(ofd, writers) || ofd->flags & O_NONBLOCK) {
            px_lock_give(&pipe->lock);
            return others(ofd, writers) ? -EAGAIN : 0;
        }
        result = sleep_on(pipe, &pipe->write_seq, &pipe->read_waiters, &pipe->writers, writers);
        if (result < 0)
            return result;
    }
}

/* What is to be written: one range, or the pieces of a gathered write. */
struct source {
    px_user from;
    const uint64_t *vector; /* base, bytes, base, bytes...; NULL: one range */
    uint64_t pieces;
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
    if (there == 0) /* readers sleep only when there is nothing */
        wake_all(&pipe->write_seq, &pipe->read_waiters);
    return (int64_t)done;
}

static int64_t write_source(struct px_ofd *ofd, const struct source *source, size_t bytes)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);
    size_t least = bytes <= PX_PIPE_BUF ? bytes : 1; /* short writes go out whole or not at all */
    size_t total = 0;

    if (!pipe)
        return -EIO;
    while (total < bytes) {
        uint32_t readers;
        int64_t result;
        size_t there, room;

        px_lock_take(&pipe->lock);
        there = filled_locked(pipe);
        readers = __atomic_load_n(&pipe->readers, __ATOMIC_SEQ_CST);
        room = PX_PIPE_SIZE - there;
        if (others(ofd, readers) && room >= least) {
            result = write_locked(pipe, source, total, bytes - total < room ? bytes - total : room, there);
        } else if (!others(ofd, readers) || ofd->flags & O_NONBLOCK) {
            px_lock_give(&pipe->lock);
            result = others(ofd, readers) ? -EAGAIN : -EPIPE;
        } else {
            result = sleep_on(pipe, &pipe->read_seq, &pipe->write_waiters, &pipe->readers, readers);
        }
        if (result == -EPIPE)
            px_raise(SIGPIPE);
        if (result < 0)
            return total ? (int64_t)total : result;
        total += (size_t)result;
    }
    return (int64_t)total;
}

static int64_t pipe_write(struct px_ofd *ofd, px_user from, size_t bytes, PX_UNUSED uint64_t *offset)
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
        writers = sample(ofd, &pipe->write_seq, &pipe->writers, predicates, count);
    if (px_ofd_writable(ofd))
        readers = sample(ofd, &pipe->read_seq, &pipe->readers, predicates, count);
    there = filled(pipe);
    if (there < 0)
        there = 0;
    if (px_ofd_readable(ofd))
        ready |= (there ? POLLIN | POLLRDNORM : 0u) | (writers ? 0u : POLLHUP);
    if (px_ofd_writable(ofd))
        ready |= (PX_PIPE_SIZE - there >= PX_PIPE_BUF ? POLLOUT | POLLWRNORM : 0u) | (readers ? 0u : POLLERR);
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
    px_lock_take(&pipe->lock);
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

const struct px_ops px_pipe_ops = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .stat = pipe_stat,
    .poll = pipe_poll,
    .drop = pipe_drop,
};

static int64_t pipe_call(px_user to, unsigned flags)
{
    struct px_ofd *ends[2];
    int64_t result, reader, writer;
    int32_t pair[2];

    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    result = px_pipe_new(flags & (O_NONBLOCK | O_DIRECT), ends);
    if (result < 0)
        return result;
    reader = px_fd_install(ends[0], 0, flags & O_CLOEXEC);
    writer = reader < 0 ? reader : px_fd_install(ends[1], 0, flags & O_CLOEXEC);
    if (writer < 0) {
        if (reader < 0)
            px_ofd_leave(ends[0]);
        else
            (void)px_fd_close((int)reader);
        px_ofd_leave(ends[1]);
        return writer;
    }
    pair[0] = (int32_t)reader;
    pair[1] = (int32_t)writer;
    if (px_copy_out(to, pair, sizeof pair) != 0) {
        (void)px_fd_close(pair[0]);
        (void)px_fd_close(pair[1]);
        return -EFAULT;
    }
    return 0;
}

PX_SYS(pipe)
{
    return pipe_call(a, 0);
}

PX_SYS(pipe2)
{
    return pipe_call(a, (unsigned)b);
}
