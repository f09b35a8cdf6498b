/* read, write and their relatives: find the description, check the access mode, and hand over to its
 * operations. */
#include "fd.h"

#define IOV_MAX 1024u
#define RWF_SUPPORTED 0x1fu /* HIPRI DSYNC SYNC NOWAIT APPEND */
#define RWF_NOWAIT 0x8u
#define RWF_APPEND 0x10u

struct iovec {
    px_user base;
    uint64_t bytes;
};

/* The short way below keeps no registers: whatever needs some is here. */
static __attribute__((noinline)) int64_t read_locked(struct px_ofd *ofd, px_user to, uint64_t bytes)
{
    int64_t result;

    px_position_take(ofd);
    result = px_ofd_ops(ofd)->read(ofd, to, bytes, &ofd->offset);
    px_position_give(ofd);
    return result;
}

static __attribute__((noinline)) int64_t write_locked(struct px_ofd *ofd, px_user from, uint64_t bytes)
{
    int64_t result;

    px_position_take(ofd);
    result = px_ofd_ops(ofd)->write(ofd, from, bytes, &ofd->offset);
    px_position_give(ofd);
    return result;
}

/* Is another process's use of the position to be kept out? */
static bool shared_position(const struct px_ofd *ofd)
{
    return __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) > 1 && px_ofd_positioned(ofd);
}

static int64_t read_ofd(struct px_ofd *ofd, px_user to, uint64_t bytes)
{
    const struct px_ops *ops;

    if (!ofd || !px_ofd_readable(ofd))
        return -EBADF;
    ops = px_ofd_ops(ofd);
    if (!ops->read)
        return ofd->kind == PX_OFD_DIRECTORY ? -EISDIR : -EINVAL;
    if (bytes > PX_RW_MAX) {
        if (px_access(to, bytes) < 0)
            return -EFAULT;
        bytes = PX_RW_MAX;
    }
    if (shared_position(ofd))
        return read_locked(ofd, to, bytes);
    return ops->read(ofd, to, bytes, &ofd->offset);
}

static int64_t write_ofd(struct px_ofd *ofd, px_user from, uint64_t bytes)
{
    const struct px_ops *ops;

    if (!ofd || !px_ofd_writable(ofd))
        return -EBADF;
    ops = px_ofd_ops(ofd);
    if (!ops->write)
        return -EINVAL;
    if (bytes > PX_RW_MAX) {
        if (px_access(from, bytes) < 0)
            return -EFAULT;
        bytes = PX_RW_MAX;
    }
    if (shared_position(ofd))
        return write_locked(ofd, from, bytes);
    return ops->write(ofd, from, bytes, &ofd->offset);
}

PX_HOT PX_SYS(read)
{
    return read_ofd(px_fd_entry((unsigned)a), b, c);
}

PX_HOT PX_SYS(write)
{
    return write_ofd(px_fd_entry((unsigned)a), b, c);
}

/* The description for a transfer at an offset of the caller's: 0 or -errno. */
static int64_t at_offset(int fd, bool writing, int64_t offset, struct px_ofd **ofd)
{
    *ofd = px_fd_get(fd);
    if (offset < 0)
        return -EINVAL;
    if (!*ofd)
        return -EBADF;
    if (!px_ofd_positioned(*ofd) && (*ofd)->kind != PX_OFD_DEVICE)
        return -ESPIPE;
    if (writing ? !px_ofd_writable(*ofd) : !px_ofd_readable(*ofd))
        return -EBADF;
    if (writing ? !px_ofd_ops(*ofd)->write : !px_ofd_ops(*ofd)->read)
        return (*ofd)->kind == PX_OFD_DIRECTORY ? -EISDIR : -EINVAL;
    return 0;
}

PX_SYS(pread64)
{
    uint64_t offset = d;
    struct px_ofd *ofd;
    int64_t result = at_offset((int)a, false, (int64_t)d, &ofd);

    if (result < 0)
        return result;
    if (px_access(b, c) < 0)
        return -EFAULT;
    return px_ofd_ops(ofd)->read(ofd, b, c < PX_RW_MAX ? c : PX_RW_MAX, &offset);
}

PX_SYS(pwrite64)
{
    uint64_t offset = d;
    struct px_ofd *ofd;
    int64_t result = at_offset((int)a, true, (int64_t)d, &ofd);

    if (result < 0)
        return result;
    if (px_access(b, c) < 0)
        return -EFAULT;
    return px_ofd_ops(ofd)->write(ofd, b, c < PX_RW_MAX ? c : PX_RW_MAX, &offset);
}

/* ---- vectors ---- */

/* Copies in and checks a vector, in parts of the stack's size. */
#define IOV_PART 16u

static int64_t check_vector(px_user vector, uint64_t count)
{
    struct iovec part[IOV_PART];

    if (count > IOV_MAX)
        return -EINVAL;
    for (uint64_t done = 0; done < count; done += IOV_PART) {
        uint64_t n = count - done < IOV_PART ? count - done : IOV_PART;

        if (px_copy_in(part, vector + done * sizeof *part, n * sizeof *part) != 0)
            return -EFAULT;
        for (uint64_t i = 0; i < n; i++) {
            if ((int64_t)part[i].bytes < 0)
                return -EINVAL;
            if (px_access(part[i].base, part[i].bytes) < 0)
                return -EFAULT;
        }
    }
    return 0;
}

typedef int64_t transfer(struct px_ofd *ofd, px_user va, size_t bytes, uint64_t *offset);

/* Moves one element after another until one is short. An error counts only if nothing was moved before it. */
static int64_t move_vector(struct px_ofd *ofd, transfer *move, px_user vector, uint64_t count,
                           uint64_t *offset)
{
    uint64_t total = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct iovec element;
        int64_t moved;

        if (px_copy_in(&element, vector + i * sizeof element, sizeof element) != 0)
            return total ? (int64_t)total : -EFAULT;
        if (element.bytes > PX_RW_MAX - total)
            element.bytes = PX_RW_MAX - total;
        if (element.bytes == 0)
            continue;
        moved = move(ofd, element.base, element.bytes, offset);
        if (moved < 0)
            return total ? (int64_t)total : moved;
        total += (uint64_t)moved;
        if ((uint64_t)moved < element.bytes)
            break;
    }
    return (int64_t)total;
}

#define GATHER_MAX PX_PIPE_BUF

/* A gathered write to a stream must go out whole if it is short enough (POSIX: atomic up to PIPE_BUF). One
 * copy through the stack does that. */
static int64_t gather_write(struct px_ofd *ofd, const struct px_ops *ops, px_user vector, uint64_t count)
{
    struct iovec part[IOV_PART];
    uint64_t used = 0, filled = 0;

    if (count > IOV_PART || px_copy_in(part, vector, count * sizeof *part) != 0)
        return -E2BIG;
    for (uint64_t i = 0; i < count; i++) {
        used += part[i].bytes != 0;
        filled += part[i].bytes;
    }
    if (used < 2 || filled > GATHER_MAX || !ops->write)
        return -E2BIG;
    return px_pipe_write_vector(ofd, (const uint64_t *)part, count, filled);
}

/* To and from a socket a vector is one message. */
static int64_t socket_vector(struct px_ofd *ofd, bool writing, px_user vector, uint64_t count)
{
    struct iovec few[IOV_PART], *all = count > IOV_PART ? px_alloc(count * sizeof *all) : few;
    uint64_t bytes = 0;
    int64_t result = -EFAULT;

    if (!all)
        return -ENOMEM;
    if (px_copy_in(all, vector, count * sizeof *all) == 0) {
        for (uint64_t i = 0; i < count; i++) {
            if (all[i].bytes > PX_RW_MAX - bytes)
                all[i].bytes = PX_RW_MAX - bytes;
            bytes += all[i].bytes;
        }
        result = px_socket_vector(ofd, writing, (const uint64_t *)all, count, bytes);
    }
    if (all != few)
        px_free(all);
    return result;
}

static int64_t vector_call(struct px_ofd *ofd, px_user vector, uint64_t count, bool writing, uint64_t *own_offset)
{
    const struct px_ops *ops;
    transfer *move;
    int64_t result;
    bool locked = false;

    if (!ofd || (writing ? !px_ofd_writable(ofd) : !px_ofd_readable(ofd)))
        return -EBADF;
    ops = px_ofd_ops(ofd);
    move = writing ? ops->write : ops->read;
    if (!move)
        return !writing && ofd->kind == PX_OFD_DIRECTORY ? -EISDIR : -EINVAL;
    result = check_vector(vector, count);
    if (result < 0)
        return result;
    if (ofd->kind == PX_OFD_SOCKET)
        return socket_vector(ofd, writing, vector, count);
    if (writing && ofd->kind == PX_OFD_PIPE) {
        result = gather_write(ofd, ops, vector, count);
        if (result != -E2BIG)
            return result;
    }
    if (own_offset)
        return move_vector(ofd, move, vector, count, own_offset);
    if (px_ofd_positioned(ofd))
        locked = px_ofd_lock(ofd);
    result = move_vector(ofd, move, vector, count, &ofd->offset);
    px_ofd_unlock(ofd, locked);
    return result;
}

PX_SYS(readv)
{
    return vector_call(px_fd_get((int)a), b, c, false, NULL);
}

PX_SYS(writev)
{
    return vector_call(px_fd_get((int)a), b, c, true, NULL);
}

static int64_t vector_at(int fd, px_user vector, uint64_t count, uint64_t offset, bool writing)
{
    struct px_ofd *ofd;
    int64_t result = at_offset(fd, writing, (int64_t)offset, &ofd);

    return result < 0 ? result : vector_call(ofd, vector, count, writing, &offset);
}

PX_SYS(preadv)
{
    return vector_at((int)a, b, c, d, false);
}

PX_SYS(pwritev)
{
    return vector_at((int)a, b, c, d, true);
}

/* As by a description that had these status flags, too; nobody else sees it. */
static int64_t with_flags(struct px_ofd *ofd, px_user vector, uint64_t count, bool writing, uint64_t *own_offset, unsigned status_flags)
{
    bool locked = !own_offset && px_ofd_positioned(ofd) && px_ofd_lock(ofd);
    struct px_ofd copy = *ofd;
    int64_t result;

    copy.flags |= status_flags;
    copy.holders = 1;
    result = vector_call(&copy, vector, count, writing, own_offset);
    if (px_ofd_positioned(ofd)) {
        if (!own_offset)
            ofd->offset = copy.offset;
        ofd->word[1] = copy.word[1]; /* a file's: when fs was told of a write */
    }
    px_ofd_unlock(ofd, locked);
    return result;
}

/* preadv2, pwritev2. What is in memory is there at once, and on its medium, too, so HIPRI, DSYNC and SYNC ask for nothing. */
static int64_t flagged_call(int fd, px_user vector, uint64_t count, uint64_t offset, bool writing, uint64_t flags)
{
    uint64_t *own_offset = offset == ~0ull ? NULL : &offset;
    struct px_ofd *ofd = px_fd_get(fd);
    unsigned status_flags = 0;
    int64_t result = own_offset ? at_offset(fd, writing, (int64_t)offset, &ofd) : ofd ? 0 : -EBADF;

    if (result < 0)
        return result;
    if (flags & ~(uint64_t)RWF_SUPPORTED)
        return -EOPNOTSUPP;
    if (flags & RWF_NOWAIT && ofd->kind == PX_OFD_PIPE)
        status_flags |= O_NONBLOCK;
    else if (flags & RWF_NOWAIT && ofd->kind != PX_OFD_FILE)
        return -EOPNOTSUPP;
    if (flags & RWF_APPEND && writing && ofd->kind == PX_OFD_FILE)
        status_flags |= O_APPEND;
    return status_flags & ~ofd->flags ? with_flags(ofd, vector, count, writing, own_offset, status_flags)
                                      : vector_call(ofd, vector, count, writing, own_offset);
}

PX_SYS(preadv2)
{
    return flagged_call((int)a, b, c, d, false, f);
}

PX_SYS(pwritev2)
{
    return flagged_call((int)a, b, c, d, true, f);
}
