/* Calls on descriptors that are not transfers: fcntl, ioctl, lseek, fstat, ftruncate, fsync, sendfile. */
#include "owner.h"
#include "pipe.h"

#define F_DUPFD 0
#define F_SETFD 2
#define F_SETFL 4
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_SETLEASE 1024u
#define F_GETLEASE 1025u
#define LEASE_NONE 2u /* F_UNLCK */
#define F_NOTIFY 1026u
#define DN_MULTISHOT 0x80000000u
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT | O_ASYNC)

#define FIBMAP 1
#define FIGETBSZ 2
#define FIONREAD 0x541b
#define FIONBIO 0x5421
#define FIONCLEX 0x5450
#define FIOCLEX 0x5451
#define FIOASYNC 0x5452
#define FIOQSIZE 0x5460

static int64_t set_flags(struct px_ofd *ofd, unsigned fd, uint64_t flags)
{
    uint32_t mask = px_ofd_ops(ofd)->own ? SETFL_MASK : SETFL_MASK & ~(uint32_t)O_ASYNC; /* what tells nobody of anything has no O_ASYNC */
    uint32_t wanted = (uint32_t)flags & mask, changed = ofd->flags ^ wanted;

    ofd->flags = (ofd->flags & ~mask) | wanted;
    if (mask & changed & O_ASYNC)
        px_owner_async(ofd, (int)fd);
    return 0;
}

static bool fcntl_path_only(unsigned command)
{
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_GETFD || command == F_SETFD ||
           command == F_GETFL;
}

static __attribute__((noinline)) int64_t fcntl_other(struct px_ofd *ofd, uint64_t a, uint64_t b, uint64_t c)
{
    switch ((unsigned)b) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return (int64_t)c < 0 || c > PX_FD_MAX ? -EINVAL
                                               : px_fd_dup((int)a, (int)c, (unsigned)b == F_DUPFD_CLOEXEC);
    case F_SETFD:
        px_fd_set_cloexec((unsigned)a, c & FD_CLOEXEC);
        return 0;
    case F_SETFL:
        return set_flags(ofd, (unsigned)a, c);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return px_record_fcntl(ofd, (unsigned)b, c);
    case F_NOTIFY: /* nobody is told of a directory's changes by signals: there is nothing to end either */
        return !((uint32_t)c & ~DN_MULTISHOT) ? 0 : ofd->kind != PX_OFD_DIRECTORY ? -ENOTDIR : -EINVAL;
    case F_GETLEASE:
        return LEASE_NONE;
    case F_SETLEASE: /* nobody has one to give up */
        return (unsigned)c == LEASE_NONE && ofd->kind == PX_OFD_FILE ? -EAGAIN : -EINVAL;
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return px_memfd_seals(ofd, (unsigned)b == F_ADD_SEALS, c);
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
        return px_pipe_size(ofd, (unsigned)b == F_SETPIPE_SZ, c);
    default:
        return px_owner_fcntl(ofd, (unsigned)b, c);
    }
}

/* What only asks is asked often, and needs no registers of its own. */
PX_HOT PX_SYS(fcntl)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)a);

    if (!ofd || (ofd->flags & O_PATH && !fcntl_path_only((unsigned)b)))
        return -EBADF;
    if ((unsigned)b == F_GETFL || (unsigned)b == F_GETFD)
        return px_fcntl_asked(ofd, (unsigned)a, (unsigned)b, -EINVAL);
    return fcntl_other(ofd, a, b, c);
}

static int64_t ioctl_flag(struct px_ofd *ofd, px_user argument, uint32_t flag)
{
    uint32_t on;

    if (px_copy_in(&on, argument, sizeof on) != 0)
        return -EFAULT;
    ofd->flags = on ? ofd->flags | flag : ofd->flags & ~flag;
    return 0;
}

/* What can tell nobody of anything does not take it. */
static int64_t ioctl_async(struct px_ofd *ofd, unsigned fd, px_user argument)
{
    uint32_t before = ofd->flags;
    int64_t result = ioctl_flag(ofd, argument, O_ASYNC);

    if (result < 0 || before == ofd->flags)
        return result;
    if (!px_ofd_ops(ofd)->own) {
        ofd->flags = before;
        return -ENOTTY;
    }
    px_owner_async(ofd, (int)fd);
    return 0;
}

/* FIONREAD of a regular file: what is left of it. */
static int64_t file_bytes_left(struct px_ofd *ofd, px_user argument)
{
    struct px_stat stat;
    int64_t result = px_ofd_ops(ofd)->stat ? px_ofd_ops(ofd)->stat(ofd, &stat) : -ENOTTY;
    int32_t left;

    if (result < 0)
        return result;
    left = (int32_t)(stat.st_size - (int64_t)ofd->offset);
    return px_copy_out(argument, &left, sizeof left);
}

/* The size of a block, or in 64 bits of what is stored. */
static int64_t file_figure(struct px_ofd *ofd, bool size, px_user argument)
{
    struct px_stat stat;
    int64_t result = px_node_stat(&ofd->node, &stat);

    if (result < 0)
        return result;
    return size ? px_copy_out(argument, &stat.st_size, sizeof stat.st_size) : px_copy_out(argument, &(int32_t){PX_PAGE}, sizeof(int32_t));
}

PX_SYS(ioctl)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)a);
    uint32_t request = (uint32_t)b;

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        px_fd_set_cloexec((unsigned)a, request == FIOCLEX);
        return 0;
    case FIONBIO:
        return ioctl_flag(ofd, c, O_NONBLOCK);
    case FIOASYNC:
        return ioctl_async(ofd, (unsigned)a, c);
    case FIONREAD:
        if (ofd->kind == PX_OFD_FILE)
            return file_bytes_left(ofd, c);
        break;
    case FIGETBSZ:
    case FIOQSIZE:
        if (ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY)
            return file_figure(ofd, request == FIOQSIZE, c);
        break;
    case FIBMAP:
        if (ofd->kind == PX_OFD_FILE)
            return -EINVAL; /* no block lies on a device */
        break;
    default:
        break;
    }
    if (!px_ofd_ops(ofd)->ioctl)
        return -ENOTTY;
    return px_ofd_ops(ofd)->ioctl(ofd, request, c);
}

static __attribute__((noinline)) int64_t seek_other(struct px_ofd *ofd, uint64_t b, uint64_t c)
{
    int64_t result;
    bool locked;

    if ((unsigned)c > SEEK_HOLE)
        return -EINVAL;
    if (!px_ofd_ops(ofd)->seek)
        return -ESPIPE;
    locked = px_ofd_lock(ofd);
    result = px_ofd_ops(ofd)->seek(ofd, (int64_t)b, (int)c);
    px_ofd_unlock(ofd, locked);
    return result;
}

/* To a place in a file that does not depend on its size, by the only process that has the description: nothing but a number changes. */
PX_HOT PX_SYS(lseek)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)a);
    int64_t to;

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    if (ofd->kind != PX_OFD_FILE || (unsigned)c > SEEK_CUR || __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) > 1)
        return seek_other(ofd, b, c);
    if (__builtin_add_overflow((unsigned)c == SEEK_SET ? 0 : (int64_t)ofd->offset, (int64_t)b, &to) || to < 0)
        return -EINVAL;
    ofd->offset = (uint64_t)to;
    return to;
}

PX_SYS(fstat)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)a);
    struct px_stat stat;
    int64_t result;

    if (!ofd)
        return -EBADF;
    memset(&stat, 0, sizeof stat);
    if (px_ofd_ops(ofd)->stat)
        result = px_ofd_ops(ofd)->stat(ofd, &stat);
    else
        result = px_node_stat(&ofd->node, &stat);
    return result < 0 ? result : px_copy_out(b, &stat, sizeof stat);
}

PX_SYS(ftruncate)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)a);

    if ((int64_t)b < 0)
        return -EINVAL;
    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    if (!px_ofd_ops(ofd)->truncate || !px_ofd_writable(ofd))
        return -EINVAL;
    return px_ofd_ops(ofd)->truncate(ofd, b);
}

static int64_t sync_descriptor(unsigned fd)
{
    struct px_ofd *ofd = px_fd_entry(fd);

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    return px_ofd_ops(ofd)->sync ? px_ofd_ops(ofd)->sync(ofd) : -EINVAL;
}

PX_SYS(fsync)
{
    return sync_descriptor((unsigned)a);
}

PX_SYS(fdatasync)
{
    return sync_descriptor((unsigned)a);
}

/* ---- sendfile ---- */

#define BOUNCE_BYTES 65536u

static int64_t put_at_position(struct px_ofd *out, px_user from, uint64_t bytes)
{
    bool locked = px_ofd_positioned(out) && px_ofd_lock(out);
    int64_t result = px_ofd_ops(out)->write(out, from, bytes, &out->offset);

    px_ofd_unlock(out, locked);
    return result;
}

/* Moves up to `bytes` through `bounce` (memory of the program). What was read and could not be written is not
 * lost: the position goes back. */
static int64_t pump(struct px_ofd *in, struct px_ofd *out, px_user bounce, uint64_t bytes, uint64_t *offset)
{
    uint64_t total = 0;

    while (total < bytes) {
        uint64_t wanted = bytes - total < BOUNCE_BYTES ? bytes - total : BOUNCE_BYTES;
        uint64_t start = *offset;
        int64_t got = px_ofd_ops(in)->read(in, bounce, wanted, offset);
        int64_t put;

        if (got <= 0)
            return total || got == 0 ? (int64_t)total : got;
        put = put_at_position(out, bounce, (uint64_t)got);
        *offset = start + (put > 0 ? (uint64_t)put : 0);
        if (put < 0)
            return total ? (int64_t)total : put;
        total += (uint64_t)put;
        if (put < got)
            break;
    }
    return (int64_t)total;
}

static int64_t check_sendfile(const struct px_ofd *in, const struct px_ofd *out)
{
    if (!in || !out || !px_ofd_readable(in) || !px_ofd_writable(out))
        return -EBADF;
    if ((in->kind != PX_OFD_FILE && in->kind != PX_OFD_DEVICE) || !px_ofd_ops(out)->write || !px_ofd_ops(in)->read || out->flags & O_APPEND)
        return -EINVAL;
    return 0;
}

/* The data goes through a range that is mapped for the time of the call: reads and writes of all kinds copy
 * to and from the program. */
static int64_t send_file(struct px_ofd *in, struct px_ofd *out, uint64_t bytes, uint64_t *offset)
{
    int64_t bounce, result;

    bounce = px_sys_mmap(0, BOUNCE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ull, 0);
    if (bounce < 0) {
        result = bounce;
    } else {
        result = pump(in, out, (px_user)bounce, bytes < PX_RW_MAX ? bytes : PX_RW_MAX, offset);
        (void)px_sys_munmap((uint64_t)bounce, BOUNCE_BYTES, 0, 0, 0, 0);
    }
    return result;
}

/* Writing may sleep until somebody reads, who may want the same position: it is read before and set afterwards, and locked by nobody meanwhile. */
static int64_t send_from_position(struct px_ofd *in, struct px_ofd *out, uint64_t bytes)
{
    uint64_t offset = px_ofd_position(in);
    int64_t result = send_file(in, out, bytes, &offset);

    if (result > 0)
        px_ofd_set_position(in, offset);
    return result;
}

PX_SYS(sendfile)
{
    struct px_ofd *out = px_fd_entry((unsigned)a), *in = px_fd_entry((unsigned)b);
    int64_t result = (int64_t)d < 0 ? -EINVAL : check_sendfile(in, out);
    uint64_t offset;

    if (result < 0)
        return result;
    if (c) {
        if (px_copy_in(&offset, c, sizeof offset) != 0)
            return -EFAULT;
        if ((int64_t)offset < 0)
            return -EINVAL;
        result = send_file(in, out, d, &offset);
        return result < 0 ? result : px_copy_out(c, &offset, sizeof offset) ? -EFAULT : result;
    }
    return send_from_position(in, out, d);
}
