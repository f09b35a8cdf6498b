/* Who wants SIGIO of a pipe (owner.h) is told: he counts as a sleeper, so that he costs nothing where nobody does. */
#include "owner.h"
#include "pipe.h"

void px_pipe_tell_readers(struct px_pipe *pipe)
{
    if (!px_owner_tell(&pipe->owner[PX_PIPE_READER], PX_TELL_IN))
        __atomic_fetch_sub(&pipe->read_waiters, 1, __ATOMIC_SEQ_CST);
}

void px_pipe_tell_writers(struct px_pipe *pipe)
{
    if (!px_owner_tell(&pipe->owner[PX_PIPE_WRITER], PX_TELL_OUT))
        __atomic_fetch_sub(&pipe->write_waiters, 1, __ATOMIC_SEQ_CST);
}

void px_pipe_tell_of_end(const struct px_ofd *ofd, struct px_pipe *pipe)
{
    bool readers = px_pipe_others(ofd, __atomic_load_n(&pipe->readers, __ATOMIC_SEQ_CST));
    bool writers = px_pipe_others(ofd, __atomic_load_n(&pipe->writers, __ATOMIC_SEQ_CST));

    if (readers && !writers)
        px_pipe_tell_readers(pipe);
    if (writers && !readers)
        px_pipe_tell_writers(pipe);
}

static void own_end(struct px_pipe *pipe, unsigned end, uint64_t cookie)
{
    uint64_t before = __atomic_exchange_n(&pipe->owner[end], cookie, __ATOMIC_SEQ_CST);
    uint32_t *waiters = end == PX_PIPE_READER ? &pipe->read_waiters : &pipe->write_waiters;

    __atomic_fetch_add(waiters, (uint32_t)(cookie != 0) - (uint32_t)(before != 0), __ATOMIC_SEQ_CST);
}

void px_pipe_own(struct px_ofd *ofd, uint64_t cookie, bool async)
{
    struct px_pipe *pipe = px_pipe_ring(ofd);

    if (pipe && px_ofd_readable(ofd))
        own_end(pipe, PX_PIPE_READER, async ? cookie : 0);
    if (pipe && px_ofd_writable(ofd))
        own_end(pipe, PX_PIPE_WRITER, async ? cookie : 0);
}
