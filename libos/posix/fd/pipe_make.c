/* Making pipes and further descriptions of their ends. */
#include "pipe.h"

#define READ_END 0u
#define WRITE_END 1u

static uint64_t last_ino = 4096;

static struct px_ofd *end_new(uint64_t va, unsigned end, unsigned flags, int64_t tally)
{
    struct px_ofd *ofd = px_ofd_new(PX_OFD_PIPE, flags | (end == READ_END ? O_RDONLY : O_WRONLY));

    if (!ofd)
        return NULL;
    if (!px_ring_hold(va, PX_PIPE_PAGES, false)) {
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
    px_ring_let_go(va);
}

int64_t px_pipe_new(unsigned flags, struct px_ofd *ends[2])
{
    uint64_t va = px_pipe_ring_new();
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
    px_ring_free(va, PX_PIPE_PAGES);
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

static int64_t pipe_call(px_user to, unsigned flags)
{
    struct px_ofd *ends[2];
    int64_t result;

    if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    result = px_pipe_new(flags & (O_NONBLOCK | O_DIRECT), ends);
    if (result < 0)
        return result;
    ends[0]->flags &= ~(uint32_t)O_DIRECT; /* as on Linux, only the end that writes says so */
    return px_fd_install_pair(ends, flags & O_CLOEXEC, to);
}

PX_SYS(pipe)
{
    return pipe_call(a, 0);
}

PX_SYS(pipe2)
{
    return pipe_call(a, (unsigned)b);
}
