/* Named FIFOs: fs gives the ring, and an open waits for the other side. */
#include <exo/loop.h>

#include "pipe.h"

#include "proto/fs.h"

/* Asks fs for one end: the ring comes to va; a tally capability or -errno. *others_seq: the other side's
 * sequence before we counted. */
static int64_t fifo_end(const struct px_node *node, uint64_t va, unsigned rights, uint32_t *others_seq)
{
    struct exo_message message = {.word = {PX_FS_FIFO, PX_FS_NODE(node->ino, node->gen), va, rights, 0}};
    int64_t result = px_call_server(PX_SLOT_FS, &message);

    *others_seq = (uint32_t)message.word[1];
    return result < 0 ? result : (int64_t)message.capability;
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
    exo_wake_all(own);
    if ((ofd->flags & O_ACCMODE) == O_RDWR || px_pipe_sample(ofd, sequence, tally, predicates, &count))
        return 0;
    if (ofd->flags & O_NONBLOCK) {
        ofd->word[PX_PIPE_WORD_ALONE] = PX_PIPE_ALONE | others_seq;
        return reading ? 0 : -ENXIO;
    }
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
    result = px_node_hold(node); /* fstat works when the name is gone; pipe_drop lets go */
    if (result < 0) {
        px_shared_release(va, PX_PIPE_PAGES);
        return result;
    }
    *ofd = px_ofd_new(PX_OFD_PIPE, flags);
    if (!*ofd || !px_ring_hold(va, PX_PIPE_PAGES, true)) {
        if (*ofd)
            px_ofd_abandon(*ofd);
        px_node_drop(node);
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
