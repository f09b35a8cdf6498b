/*
 * splice, tee, vmsplice and copy_file_range. Bytes go through a range that is mapped for the time of the call, as sendfile's do. What comes from a
 * pipe is looked at, passed on, and then taken, as far as the other side took it: nothing is lost when that is full.
 */
#include "entry/thread.h"
#include "fd.h"
#include "pipe.h"

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_KNOWN 15u
#define BOUNCE_BYTES PX_PIPE_SIZE

struct side {
    struct px_ofd *ofd;
    px_user offset_at; /* where the program keeps the position; 0: the description's is used */
    uint64_t offset;   /* moved along */
};

static bool is_pipe(const struct px_ofd *ofd)
{
    return ofd->kind == PX_OFD_PIPE;
}

/* The other side may sleep until somebody moves bytes, who may want the same position: it is read before and set afterwards, and locked by nobody
 * meanwhile. */
static int64_t side_begin(struct side *side)
{
    side->offset = px_ofd_position(side->ofd);
    if (!side->offset_at)
        return 0;
    if (px_copy_in(&side->offset, side->offset_at, sizeof side->offset) != 0)
        return -EFAULT;
    return (int64_t)side->offset < 0 ? -EINVAL : 0;
}

static int64_t side_end(const struct side *side, int64_t result)
{
    if (result <= 0)
        return result;
    if (!side->offset_at)
        px_ofd_set_position(side->ofd, side->offset);
    else if (px_copy_out(side->offset_at, &side->offset, sizeof side->offset) != 0)
        return -EFAULT;
    return result;
}

/* Room for a stream's bytes now, so that who must not wait does not. */
static int64_t may_write(struct px_ofd *out, bool wait)
{
    unsigned unused = 0;

    if (wait || !px_ofd_ops(out)->poll)
        return 0;
    return px_ofd_ops(out)->poll(out, POLLOUT | POLLERR | POLLHUP, NULL, &unused) ? 0 : -EAGAIN;
}

static int64_t from_pipe(struct side *in, struct side *out, px_user bounce, uint64_t bytes, bool wait, bool keep)
{
    int64_t got, put = may_write(out->ofd, wait);
    struct px_pipe_mark mark;

    if (put < 0)
        return put;
    got = px_pipe_peek(in->ofd, bounce, bytes < BOUNCE_BYTES ? bytes : BOUNCE_BYTES, wait, &mark);
    if (got <= 0)
        return got;
    if (is_pipe(out->ofd))
        put = px_pipe_write_now(out->ofd, bounce, (uint64_t)got, wait);
    else
        put = px_ofd_ops(out->ofd)->write(out->ofd, bounce, (uint64_t)got, &out->offset);
    if (put > 0 && !keep)
        px_pipe_consume(in->ofd, &mark, (uint32_t)put);
    return put;
}

static int64_t to_pipe(struct side *in, struct side *out, px_user bounce, uint64_t bytes, bool wait)
{
    uint64_t start = in->offset, room = px_pipe_room(out->ofd);
    int64_t got, put;

    while (room == 0) {
        if (!wait)
            return -EAGAIN;
        put = px_pipe_wait_room(out->ofd);
        if (put < 0)
            return put;
        room = px_pipe_room(out->ofd);
    }
    if (bytes > room)
        bytes = room;
    got = px_ofd_ops(in->ofd)->read(in->ofd, bounce, bytes, &in->offset);
    if (got <= 0)
        return got;
    put = px_pipe_write_now(out->ofd, bounce, (uint64_t)got, wait);
    if (px_ofd_positioned(in->ofd))
        in->offset = start + (put > 0 ? (uint64_t)put : 0);
    return put;
}

/* Through the range, once or until `bytes` are moved. */
static int64_t copy_range(struct side *in, struct side *out, px_user bounce, uint64_t bytes)
{
    uint64_t total = 0;

    while (total < bytes) {
        uint64_t wanted = bytes - total < BOUNCE_BYTES ? bytes - total : BOUNCE_BYTES, start = in->offset;
        int64_t got = px_ofd_ops(in->ofd)->read(in->ofd, bounce, wanted, &in->offset), put;

        if (got <= 0)
            return total ? (int64_t)total : got;
        put = px_ofd_ops(out->ofd)->write(out->ofd, bounce, (uint64_t)got, &out->offset);
        in->offset = start + (put > 0 ? (uint64_t)put : 0);
        if (put < 0)
            return total ? (int64_t)total : put;
        total += (uint64_t)put;
        if (put < got)
            break;
    }
    return (int64_t)total;
}

enum way { SPLICE, TEE, COPY };

static int64_t move(struct side *in, struct side *out, uint64_t bytes, enum way way, bool wait)
{
    int64_t result, bounce = px_sys_mmap(0, BOUNCE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ull, 0);

    if (bounce < 0)
        return bounce;
    if (px_threads.many) /* both stay, whoever closes them meanwhile */
        px_thread()->hold.second = out->ofd;
    if (way == COPY)
        result = copy_range(in, out, (px_user)bounce, bytes);
    else if (is_pipe(in->ofd))
        result = from_pipe(in, out, (px_user)bounce, bytes, wait, way == TEE);
    else
        result = to_pipe(in, out, (px_user)bounce, bytes, wait);
    (void)px_sys_munmap((uint64_t)bounce, BOUNCE_BYTES, 0, 0, 0, 0);
    return result;
}

static bool same_pipe(const struct px_ofd *in, const struct px_ofd *out)
{
    return is_pipe(in) && is_pipe(out) && px_pipe_ring(in) == px_pipe_ring(out);
}

static int64_t check_ends(const struct px_ofd *in, const struct px_ofd *out)
{
    if (!in || !out || in->flags & O_PATH || out->flags & O_PATH || !px_ofd_readable(in) || !px_ofd_writable(out))
        return -EBADF;
    return 0;
}

PX_SYS(splice)
{
    struct side in = {.ofd = px_fd_get((int)a), .offset_at = b}, out = {.ofd = px_fd_get((int)c), .offset_at = d};
    int64_t result;

    if (f & ~(uint64_t)SPLICE_F_KNOWN)
        return -EINVAL;
    if (e == 0)
        return 0;
    result = check_ends(in.ofd, out.ofd);
    if (result < 0)
        return result;
    if (!is_pipe(in.ofd) && !is_pipe(out.ofd))
        return -EINVAL;
    if ((in.offset_at && is_pipe(in.ofd)) || (out.offset_at && is_pipe(out.ofd)))
        return -ESPIPE;
    if (same_pipe(in.ofd, out.ofd) || out.ofd->flags & O_APPEND || !px_ofd_ops(in.ofd)->read || !px_ofd_ops(out.ofd)->write)
        return -EINVAL;
    if ((in.offset_at && !px_ofd_positioned(in.ofd)) || (out.offset_at && !px_ofd_positioned(out.ofd)))
        return -EINVAL;
    result = side_begin(&in);
    if (result == 0)
        result = side_begin(&out);
    if (result == 0)
        result = move(&in, &out, e < PX_RW_MAX ? e : PX_RW_MAX, SPLICE, !(f & SPLICE_F_NONBLOCK));
    result = side_end(&in, result);
    return side_end(&out, result);
}

PX_SYS(tee)
{
    struct side in = {.ofd = px_fd_get((int)a)}, out = {.ofd = px_fd_get((int)b)};
    int64_t result;

    if (d & ~(uint64_t)SPLICE_F_KNOWN)
        return -EINVAL;
    if (c == 0)
        return 0;
    result = check_ends(in.ofd, out.ofd);
    if (result < 0)
        return result;
    if (!is_pipe(in.ofd) || !is_pipe(out.ofd) || same_pipe(in.ofd, out.ofd))
        return -EINVAL;
    return move(&in, &out, c, TEE, !(d & SPLICE_F_NONBLOCK));
}

/* To a pipe it is a gathered write and from one a scattered read: pages are copied, not given. */
PX_SYS(vmsplice)
{
    struct px_ofd *ofd = px_fd_get((int)a);
    unsigned ready, unused = 0;

    if (d & ~(uint64_t)SPLICE_F_KNOWN)
        return -EINVAL;
    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    if (!is_pipe(ofd))
        return c ? -EBADF : 0;
    ready = px_ofd_ops(ofd)->poll(ofd, POLLIN | POLLOUT | POLLHUP | POLLERR, NULL, &unused);
    if (d & SPLICE_F_NONBLOCK && !ready)
        return -EAGAIN;
    return px_ofd_writable(ofd) ? px_sys_writev(a, b, c, 0, 0, 0) : px_sys_readv(a, b, c, 0, 0, 0);
}

static int64_t check_copy(const struct side *in, const struct side *out)
{
    if (!in->ofd || !out->ofd)
        return -EBADF;
    if (in->ofd->kind == PX_OFD_DIRECTORY || out->ofd->kind == PX_OFD_DIRECTORY)
        return -EISDIR;
    if (in->ofd->kind != PX_OFD_FILE || out->ofd->kind != PX_OFD_FILE)
        return -EINVAL;
    return out->ofd->flags & O_APPEND ? -EBADF : check_ends(in->ofd, out->ofd);
}

PX_SYS(copy_file_range)
{
    struct side in = {.ofd = px_fd_get((int)a), .offset_at = b}, out = {.ofd = px_fd_get((int)c), .offset_at = d};
    uint64_t bytes = e < PX_RW_MAX ? e : PX_RW_MAX, left;
    struct px_stat stat;
    int64_t result;

    if (f)
        return -EINVAL;
    result = check_copy(&in, &out);
    if (result == 0)
        result = side_begin(&in);
    if (result == 0)
        result = side_begin(&out);
    if (result == 0 && (in.offset + e < in.offset || out.offset + e < out.offset))
        return -EOVERFLOW;
    if (result == 0)
        result = px_node_stat(&in.ofd->node, &stat);
    if (result < 0)
        return result;
    left = in.offset < (uint64_t)stat.st_size ? (uint64_t)stat.st_size - in.offset : 0;
    bytes = bytes < left ? bytes : left;
    bytes = bytes < INT64_MAX - out.offset ? bytes : INT64_MAX - out.offset;
    if (in.ofd->node.ino == out.ofd->node.ino && in.offset < out.offset + bytes && out.offset < in.offset + bytes)
        return -EINVAL;
    result = move(&in, &out, bytes, COPY, true);
    result = side_end(&in, result);
    return side_end(&out, result);
}
