/*
 * Named FIFOs: the pages of the shared ring (ring.h) are the inode's data pages; the tallies are bound to words in
 * its header. fs keeps one capability to each tally to copy from, so that the words count one more than there are
 * ends open.
 */
#include "ring.h"
#include "serve.h"

#define FIFOS_MAX 64u

static struct fifo {
    uint32_t ino;
    uint64_t tally[2]; /* readers, writers */
} fifos[FIFOS_MAX];

static struct fifo *find(uint32_t ino)
{
    for (unsigned i = 0; i < FIFOS_MAX; i++) {
        if (fifos[i].ino == ino)
            return &fifos[i];
    }
    return NULL;
}

void fs_fifo_forget(uint32_t ino)
{
    struct fifo *fifo = find(ino);

    if (!fifo)
        return;
    for (unsigned i = 0; i < 2; i++)
        (void)!exo_cap_delete(fifo->tally[i]);
    fifo->ino = 0;
}

static struct px_pipe *ring_of(const struct px_inode *inode)
{
    return (struct px_pipe *)fs_page(fs_map_get(inode, 0));
}

/* An unlinked FIFO's entry goes with the inode; one that nobody has open can make way for another. */
static struct fifo *free_entry(void)
{
    struct fifo *fifo = find(0);

    for (unsigned i = 0; !fifo && i < FIFOS_MAX; i++) {
        struct px_inode *inode = fs_inode(fifos[i].ino);
        struct px_pipe *ring = ring_of(inode);

        if (ring->readers > 1 || ring->writers > 1)
            continue;
        fs_fifo_forget(fifos[i].ino);
        fs_map_cut(inode, 0, ~0ull);
        fifo = &fifos[i];
    }
    return fifo;
}

static struct fifo *make(struct px_inode *inode, int64_t *status)
{
    struct fifo *fifo = free_entry();
    struct px_pipe *ring;
    int64_t tally[2];

    *status = -ENFILE;
    if (!fifo)
        return NULL;
    *status = -ENOMEM;
    if (fs_fill(inode, 0, PX_PIPE_PAGES) != PX_PIPE_PAGES)
        return NULL;
    fs_reserved_forget(fs_number(inode));
    inode->flags &= ~(uint32_t)PX_INODE_RESERVED;
    ring = ring_of(inode);
    memset(ring, 0, sizeof *ring);
    ring->version = PX_PIPE_VERSION;
    ring->flags = PX_PIPE_ATTACHED | PX_PIPE_NAMED;
    ring->ino = fs_number(inode);
    ring->ctime_ns = PX_TIME_SECONDS(inode->ctime) * 1000000000 + PX_TIME_NS(inode->ctime);
    tally[0] = exo_tally_create(&ring->readers);
    tally[1] = tally[0] < 0 ? tally[0] : exo_tally_create(&ring->writers);
    if (tally[1] < 0) {
        if (tally[0] >= 0)
            (void)!exo_cap_delete((uint64_t)tally[0]);
        return NULL;
    }
    fifo->ino = fs_number(inode);
    fifo->tally[0] = (uint64_t)tally[0];
    fifo->tally[1] = (uint64_t)tally[1];
    *status = 0;
    return fifo;
}

/* Nobody has it open: what was left in it is gone, as POSIX says. */
static void reset(struct px_pipe *ring)
{
    if (ring->readers > 1 || ring->writers > 1)
        return;
    ring->lock = 0;
    ring->head = ring->tail = 0;
    ring->read_waiters = ring->write_waiters = 0;
}

int64_t fs_fifo_open(struct fs_request *request, uint64_t node, uint64_t va, unsigned end)
{
    struct px_inode *inode = fs_node(node);
    struct fifo *fifo;
    int64_t status;

    if (!inode || !S_ISFIFO(inode->mode) || (end != 4 && end != 2) || va % FS_PAGE)
        return inode ? -EINVAL : -ESTALE;
    if (!fs_may(&request->caller, inode, end))
        return -EACCES;
    fifo = find(PX_FS_INO(node));
    if (!fifo && !(fifo = make(inode, &status)))
        return status;
    reset(ring_of(inode));
    for (uint64_t i = 0; i < PX_PIPE_PAGES; i++) {
        status = os_share(request->caller.client, va + i * FS_PAGE, fs_page(fs_map_get(inode, i)), 1,
                          EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
        if (status < 0)
            return status;
    }
    request->capability = fifo->tally[end == 4 ? 0 : 1];
    request->message->word[1] = end == 4 ? ring_of(inode)->write_seq : ring_of(inode)->read_seq;
    return 0;
}
