#include "stream.h"

#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/loop.h>
#include <exo/string.h>

#include "proctab.h"

static uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void bump(uint32_t *sequence)
{
    __atomic_fetch_add(sequence, 1, __ATOMIC_SEQ_CST);
}

static void wake(uint32_t *sequence, const uint32_t *waiters)
{
    if (load(waiters))
        exo_wake_all(sequence);
}

/* What the other side changes when it moves bytes. */
static uint32_t *other_sequence(const struct stream *stream)
{
    return stream->writing ? &stream->pipe->read_seq : &stream->pipe->write_seq;
}

uint32_t stream_look(struct stream *stream)
{
    return stream->pipe ? load(other_sequence(stream)) : 0;
}

void stream_watch(struct stream *stream, int step)
{
    if (stream->pipe)
        __atomic_fetch_add(stream->writing ? &stream->pipe->write_waiters : &stream->pipe->read_waiters, (uint32_t)step,
                           __ATOMIC_SEQ_CST);
}

uint32_t *stream_word(struct stream *stream)
{
    return other_sequence(stream);
}

void stream_start(struct stream *stream, void *ring, bool writing, uint64_t ino, int64_t now_ns)
{
    struct px_pipe *pipe = ring;

    *stream = (struct stream){.pipe = pipe, .writing = writing};
    pipe->version = PX_PIPE_VERSION;
    pipe->ino = ino;
    pipe->ctime_ns = now_ns;
    if (writing)
        pipe->writers = 1;
    else
        pipe->readers = 1;
}

/* Bytes in the ring. Positions that make no sense (a process wrote them) are an empty ring. */
static uint32_t filled(const struct px_pipe *pipe, uint32_t *head, uint32_t *tail)
{
    _Static_assert(offsetof(struct px_pipe, head) % 8 == 0 && offsetof(struct px_pipe, tail) == offsetof(struct px_pipe, head) + 4,
                   "head and tail share an aligned word");
    uint64_t both = __atomic_load_n((const uint64_t *)&pipe->head, __ATOMIC_ACQUIRE);

    *head = (uint32_t)both;
    *tail = (uint32_t)(both >> 32);
    return *tail - *head > PX_PIPE_SIZE ? 0 : *tail - *head;
}

size_t stream_filled(const struct stream *stream)
{
    uint32_t head, tail;

    return stream->pipe ? filled(stream->pipe, &head, &tail) : 0;
}

size_t stream_room(const struct stream *stream)
{
    return stream->pipe ? PX_PIPE_SIZE - stream_filled(stream) : 0;
}

bool stream_deserted(const struct stream *stream)
{
    return stream->pipe && (load(&stream->pipe->flags) & PX_PIPE_ATTACHED) &&
           load(stream->writing ? &stream->pipe->readers : &stream->pipe->writers) == 0;
}

static bool holder_is_dead(uint32_t lock, const void *table)
{
    uint32_t index = PX_LOCK_INDEX(lock);
    const struct px_proc *holder;

    if (index == 0 || index >= PX_PROCS_MAX)
        return true; /* nobody, or left over from ourselves: we never keep it */
    holder = PX_PROC(table, index);
    return holder->state == PX_FREE || holder->state == PX_ZOMBIE || (holder->gen & 0x7fffu) != PX_LOCK_GEN(lock);
}

/* May the lock with this word be taken from its holder? */
static bool may_seize(struct stream *stream, uint32_t seen, const void *table, uint64_t now_ns)
{
    if (holder_is_dead(seen, table))
        return true;
    return seen == stream->lock_seen && now_ns - stream->blocked_since_ns > STREAM_LOCK_PATIENCE_NS;
}

/* Forgets that somebody had the lock. */
static void unblock(struct stream *stream)
{
    stream->blocked = false;
    stream->lock_seen = 0;
}

/* Tries to take the lock. If somebody has it, its word is marked so that giving it wakes us. */
static bool take_lock(struct stream *stream, const void *table, uint64_t now_ns)
{
    uint32_t *lock = &stream->pipe->lock;

    for (unsigned tries = 0; tries < 8; tries++) {
        uint32_t seen = load(lock);

        if (seen == 0 || may_seize(stream, seen, table, now_ns)) {
            uint32_t mine = seen ? STREAM_LOCK_TTY | PX_LOCK_WAITERS : STREAM_LOCK_TTY;

            if (__atomic_compare_exchange_n(lock, &seen, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
                unblock(stream);
                return true;
            }
            continue;
        }
        if (!(seen & PX_LOCK_WAITERS) &&
            !__atomic_compare_exchange_n(lock, &seen, seen | PX_LOCK_WAITERS, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        seen |= PX_LOCK_WAITERS;
        if (stream->lock_seen != seen)
            stream->blocked_since_ns = now_ns;
        stream->lock_seen = seen;
        break;
    }
    stream->blocked = true;
    return false;
}

static void give_lock(struct stream *stream)
{
    if (__atomic_exchange_n(&stream->pipe->lock, 0, __ATOMIC_SEQ_CST) & PX_LOCK_WAITERS)
        (void)!exo_wake(&stream->pipe->lock, 1);
}

static void move_positions(struct px_pipe *pipe, uint32_t head, uint32_t tail)
{
    if (head == tail)
        head = tail = 0; /* start over at the first page, to touch few */
    __atomic_store_n((uint64_t *)&pipe->head, head | (uint64_t)tail << 32, __ATOMIC_RELEASE);
}

size_t stream_write(struct stream *stream, const uint8_t *bytes, size_t count, const void *table, uint64_t now_ns)
{
    struct px_pipe *pipe = stream->pipe;
    uint32_t head, tail, there, first;

    if (!pipe || count == 0) {
        unblock(stream);
        return 0;
    }
    if (!take_lock(stream, table, now_ns))
        return 0;
    there = filled(pipe, &head, &tail);
    if (there == 0)
        head = tail = 0;
    if (count > PX_PIPE_SIZE - there)
        count = PX_PIPE_SIZE - there;
    first = PX_PIPE_SIZE - tail % PX_PIPE_SIZE;
    if (first > count)
        first = (uint32_t)count;
    memcpy(PX_PIPE_DATA(pipe) + tail % PX_PIPE_SIZE, bytes, first);
    memcpy(PX_PIPE_DATA(pipe), bytes + first, count - first);
    move_positions(pipe, head, tail + (uint32_t)count);
    bump(&pipe->write_seq);
    give_lock(stream);
    if (count && there == 0) /* readers sleep only when there is nothing */
        wake(&pipe->write_seq, &pipe->read_waiters);
    return count;
}

size_t stream_read(struct stream *stream, uint8_t *to, size_t count, const void *table, uint64_t now_ns)
{
    struct px_pipe *pipe = stream->pipe;
    uint32_t head, tail, there, first;

    if (!pipe || count == 0 || filled(pipe, &head, &tail) == 0) {
        unblock(stream);
        return 0;
    }
    if (!take_lock(stream, table, now_ns))
        return 0;
    there = filled(pipe, &head, &tail);
    if (count > there)
        count = there;
    first = PX_PIPE_SIZE - head % PX_PIPE_SIZE;
    if (first > count)
        first = (uint32_t)count;
    memcpy(to, PX_PIPE_DATA(pipe) + head % PX_PIPE_SIZE, first);
    memcpy(to + first, PX_PIPE_DATA(pipe), count - first);
    move_positions(pipe, head + (uint32_t)count, tail);
    bump(&pipe->read_seq);
    give_lock(stream);
    if (PX_PIPE_SIZE - there < PX_PIPE_BUF && PX_PIPE_SIZE - there + count >= PX_PIPE_BUF)
        wake(&pipe->read_seq, &pipe->write_waiters);
    return count;
}

void stream_close(struct stream *stream)
{
    struct px_pipe *pipe = stream->pipe;
    uint32_t *word;

    if (!pipe)
        return;
    word = stream->writing ? &pipe->writers : &pipe->readers;
    __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
    exo_wake_all(word);
    if (stream->writing) {
        bump(&pipe->write_seq);
        wake(&pipe->write_seq, &pipe->read_waiters);
    } else {
        bump(&pipe->read_seq);
        wake(&pipe->read_seq, &pipe->write_waiters);
    }
    stream->pipe = NULL;
}
