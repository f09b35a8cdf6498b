/*
 * inotify from the client's side: a descriptor on a ring into which fs writes events (proto/watch.h). word[0] the ring's address, word[1] what fs calls the
 * instance. What this process does to files without asking fs is told here, if somebody watches the file or its directory.
 */
#include "fd/fd.h"
#include "files.h"

#include "proto/watch.h"

#define FIONREAD 0x541b
#define ALIASES_MAX 8u

/* ---- telling ---- */

static bool is_watched(const struct px_region *region, uint32_t ino)
{
    const struct px_inode *inode = px_region_inode(region, ino);

    return inode && PX_META_LOAD(inode->flags) & PX_INODE_WATCHED;
}

bool px_watched_now(const struct px_inode *inode)
{
    struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};
    uint32_t at = PX_META_LOAD(inode->name);

    if (PX_META_LOAD(inode->flags) & PX_INODE_WATCHED)
        return true;
    for (unsigned i = 0; at && i < ALIASES_MAX; i++) {
        const struct px_name *name = px_region_at(&region, at, sizeof *name);

        if (!name)
            return false;
        if (is_watched(&region, PX_META_LOAD(name->directory)))
            return true;
        at = PX_META_LOAD(name->alias);
    }
    return false;
}

PX_APART void px_watch_tell(const struct px_ofd *ofd, uint32_t mask)
{
    const struct px_inode *inode = ofd->node.kind == PX_NODE_FS ? px_held_inode(&ofd->node) : NULL;

    if (inode && px_watched(inode))
        (void)!px_fs_call(PX_FS_NOTICE, PX_FS_NODE(ofd->node.ino, ofd->node.gen), mask, 0, ofd->word[PX_WORD_TOKEN], NULL);
}

PX_PACKED(close) void px_watch_closed(struct px_ofd *ofd)
{
    if (PX_META_LOAD(px_meta()->watches) && __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) <= 1)
        px_watch_tell(ofd, px_ofd_writable(ofd) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
}

/* ---- the descriptor ---- */

static struct px_watch_ring *ring_of(const struct px_ofd *ofd)
{
    uint64_t va = ofd->word[0];

    if (va < PX_SHARED || va > PX_SHARED_HI - PX_WATCH_PAGES * PX_PAGE || va % PX_PAGE)
        return NULL;
    return (struct px_watch_ring *)va;
}

static uint32_t filled(const struct px_watch_ring *ring)
{
    uint32_t bytes = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) - ring->head;

    return bytes > PX_WATCH_RING ? 0 : bytes;
}

static void peek(struct px_watch_ring *ring, uint32_t at, void *to, uint32_t count)
{
    const uint8_t *data = PX_WATCH_DATA(ring);

    for (uint32_t i = 0; i < count; i++)
        ((uint8_t *)to)[i] = data[(at + i) % PX_WATCH_RING];
}

/* Copies out whole events, as many as fit: bytes, -EINVAL when not even one does, -EFAULT. */
static int64_t take(struct px_watch_ring *ring, px_user to, size_t room)
{
    uint32_t there = filled(ring), done = 0;
    uint8_t text[sizeof(struct px_watch_event) + 256];

    while (there - done >= sizeof(struct px_watch_event)) {
        struct px_watch_event event;
        uint32_t size;

        peek(ring, ring->head + done, &event, sizeof event);
        size = (uint32_t)sizeof event + event.bytes;
        if (event.bytes > 256 || size > there - done)
            return -EIO; /* somebody has written there */
        if (size > room - done)
            return done ? (int64_t)done : -EINVAL;
        peek(ring, ring->head + done, text, size);
        if (px_copy_out(to + done, text, size) != 0)
            return done ? (int64_t)done : -EFAULT;
        done += size;
    }
    return (int64_t)done;
}

static int64_t inotify_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    struct px_watch_ring *ring = ring_of(ofd);

    if (!ring)
        return -EIO;
    for (;;) {
        uint32_t seen = __atomic_load_n(&ring->seq, __ATOMIC_SEQ_CST);
        int64_t result;

        px_lock_take(&ofd->lock, PX_RANK_COUNTER);
        result = take(ring, to, bytes);
        if (result > 0)
            __atomic_store_n(&ring->head, ring->head + (uint32_t)result, __ATOMIC_RELEASE);
        px_lock_give(&ofd->lock);
        if (result)
            return result;
        if (ofd->flags & O_NONBLOCK)
            return -EAGAIN;
        result = px_wait_word(&ring->seq, seen, PX_DEADLINE_NEVER);
        if (result < 0)
            return result;
    }
}

static unsigned inotify_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    struct px_watch_ring *ring = ring_of(ofd);
    uint32_t seen;

    if (!ring)
        return POLLERR;
    seen = __atomic_load_n(&ring->seq, __ATOMIC_SEQ_CST);
    if (predicates)
        predicates[(*count)++] = (struct exo_predicate){.va = (uint64_t)&ring->seq, .value = seen, .kind = EXO_WAIT_WORD};
    return (filled(ring) ? POLLIN | POLLRDNORM : 0u) & events;
}

static int64_t inotify_ioctl(struct px_ofd *ofd, uint64_t request, uint64_t argument)
{
    struct px_watch_ring *ring = ring_of(ofd);
    uint32_t bytes = ring ? filled(ring) : 0;

    return request == FIONREAD && ring ? px_copy_out(argument, &bytes, sizeof bytes) : -ENOTTY;
}

static void inotify_drop(struct px_ofd *ofd)
{
    if (ring_of(ofd))
        px_ring_let_go(ofd->word[0]);
}

/* fs looks whether anybody has the ring still. */
static void inotify_destroy(PX_UNUSED struct px_ofd *ofd)
{
    px_fd_fs_waits |= px_fd_exiting;
    if (!px_fd_exiting)
        (void)!px_fs_call(PX_FS_REAP, 0, 0, 0, 0, NULL);
}

const struct px_ops px_inotify_ops = {
    .name = "anon_inode:inotify",
    .read = inotify_read,
    .seek = px_no_seek,
    .ioctl = inotify_ioctl,
    .stat = px_anonymous_stat,
    .poll = inotify_poll,
    .drop = inotify_drop,
    .destroy = inotify_destroy,
};

static int64_t inotify_new(unsigned flags)
{
    struct px_ofd *ofd;
    uint64_t va, ticket = 0;
    int64_t result;

    if (flags & ~(unsigned)(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    va = px_shared_reserve(PX_WATCH_PAGES);
    if (!va)
        return -ENOMEM;
    result = px_ring_hold(va, PX_WATCH_PAGES, true) ? px_fs_call(PX_FS_WATCH_NEW, 0, va, 0, 0, &ticket) : -ENOMEM;
    ofd = result < 0 ? NULL : px_ofd_new(PX_OFD_INOTIFY, O_RDONLY | (flags & O_NONBLOCK));
    if (result < 0) {
        px_ring_forget(va);
        px_shared_release(va, PX_WATCH_PAGES);
        return result;
    }
    if (!ofd) {
        px_ring_let_go(va);
        return -ENFILE;
    }
    ofd->word[0] = va;
    ofd->word[1] = ticket;
    result = px_fd_install(ofd, 0, flags & O_CLOEXEC);
    if (result < 0) {
        inotify_drop(ofd);
        px_ofd_abandon(ofd);
    }
    return result;
}

PX_SYS(inotify_init)
{
    return inotify_new(0);
}

PX_SYS(inotify_init1)
{
    return inotify_new((unsigned)a);
}

static int64_t find(int fd, struct px_ofd **ofd)
{
    *ofd = px_fd_get(fd);
    if (!*ofd)
        return -EBADF;
    return (*ofd)->kind == PX_OFD_INOTIFY ? 0 : -EINVAL;
}

PX_SYS(inotify_add_watch)
{
    const uint32_t known =
        IN_ALL_EVENTS | IN_UNMOUNT | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT;
    uint32_t mask = (uint32_t)c;
    struct px_place place;
    struct px_ofd *ofd;
    int64_t result;

    if (!(mask & known) || (mask & IN_MASK_ADD && mask & IN_MASK_CREATE))
        return -EINVAL;
    result = find((int)a, &ofd);
    if (result == 0)
        result =
            px_find_user(AT_FDCWD, b, (mask & IN_DONT_FOLLOW ? PX_WALK_NOFOLLOW : 0) | (mask & IN_ONLYDIR ? PX_WALK_DIRECTORY : 0), &place);
    if (result < 0)
        return result;
    if (place.node.kind != PX_NODE_FS)
        return px_node_access(&place.node, 4) < 0 ? -EACCES : -ENOSPC; /* /proc tells nobody */
    return px_fs_call(PX_FS_WATCH_ADD, PX_FS_NODE(place.node.ino, place.node.gen), mask, 0, ofd->word[1], NULL);
}

PX_SYS(inotify_rm_watch)
{
    struct px_ofd *ofd;
    int64_t result = find((int)a, &ofd);

    if (result < 0)
        return result;
    return px_fs_call(PX_FS_WATCH_REMOVE, 0, (uint32_t)b, 0, ofd->word[1], NULL);
}
