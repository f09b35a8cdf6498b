/*
 * Sockets, as far as programs look before there is a network: creating one in a family that is not there
 * fails as on a Linux without that family, and AF_UNIX can be created and fails to connect as if nobody
 * listens (name-service look-ups do that). socketpair is not there.
 */
#include "fd.h"

#define AF_UNIX 1
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define SOCK_TYPE 0xfu
#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC O_CLOEXEC
#define UNIX_PATH_MAX 108u

struct sockaddr_un {
    uint16_t family;
    char path[UNIX_PATH_MAX];
};

static int64_t socket_read(PX_UNUSED struct px_ofd *ofd, PX_UNUSED px_user to, PX_UNUSED size_t bytes,
                           PX_UNUSED uint64_t *offset)
{
    return -ENOTCONN;
}

static int64_t socket_write(PX_UNUSED struct px_ofd *ofd, PX_UNUSED px_user from, PX_UNUSED size_t bytes,
                            PX_UNUSED uint64_t *offset)
{
    return -ENOTCONN;
}

static int64_t socket_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    stat->st_dev = 8;
    stat->st_ino = (uint64_t)ofd / 128;
    stat->st_nlink = 1;
    stat->st_mode = S_IFSOCK | 0777;
    stat->st_uid = px_self()->euid;
    stat->st_gid = px_self()->egid;
    stat->st_blksize = 4096;
    return 0;
}

static unsigned socket_poll(PX_UNUSED struct px_ofd *ofd, unsigned events,
                            PX_UNUSED struct exo_predicate *predicates, PX_UNUSED unsigned *count)
{
    return (POLLOUT | POLLHUP) & (events | POLLHUP);
}

const struct px_ops px_socket_ops = {
    .name = "socket",
    .read = socket_read,
    .write = socket_write,
    .stat = socket_stat,
    .poll = socket_poll,
};

PX_SYS(socket)
{
    unsigned type = (unsigned)b & SOCK_TYPE;
    struct px_ofd *ofd;
    int64_t fd;

    if ((unsigned)b & ~(SOCK_TYPE | (unsigned)SOCK_NONBLOCK | (unsigned)SOCK_CLOEXEC))
        return -EINVAL;
    if ((int)a != AF_UNIX)
        return -EAFNOSUPPORT;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    if ((int)c != 0 && (int)c != AF_UNIX)
        return -EPROTONOSUPPORT;
    ofd = px_ofd_new(PX_OFD_SOCKET, O_RDWR | ((unsigned)b & O_NONBLOCK));
    if (!ofd)
        return -ENFILE;
    fd = px_fd_install(ofd, 0, b & SOCK_CLOEXEC);
    if (fd < 0)
        px_ofd_abandon(ofd);
    return fd;
}

static int64_t socket_of(uint64_t fd)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)fd);

    return !ofd ? -EBADF : ofd->kind == PX_OFD_SOCKET ? 0 : -ENOTSOCK;
}

PX_SYS(connect)
{
    struct sockaddr_un address = {0};
    struct px_node node;
    int64_t result = socket_of(a);

    if (result < 0)
        return result;
    if ((uint32_t)c < sizeof address.family || (uint32_t)c > sizeof address + 2)
        return -EINVAL;
    if (px_copy_in(&address, b, (uint32_t)c < sizeof address ? (uint32_t)c : sizeof address) != 0)
        return -EFAULT;
    address.path[UNIX_PATH_MAX - 1] = '\0';
    if (address.family != AF_UNIX)
        return -EINVAL;
    if (!address.path[0]) /* abstract names */
        return -ECONNREFUSED;
    result = px_walk(AT_FDCWD, address.path, 0, &node);
    return result < 0 ? result : -ECONNREFUSED;
}

/* Everything else on a descriptor that is one of these sockets or no socket at all. */
static int64_t unsupported(uint64_t fd, int64_t error)
{
    int64_t result = socket_of(fd);

    return result < 0 ? result : error;
}

PX_SYS(bind)
{
    return unsupported(a, -EOPNOTSUPP);
}

PX_SYS(listen)
{
    return unsupported(a, -EOPNOTSUPP);
}

PX_SYS(accept)
{
    return unsupported(a, -EINVAL);
}

PX_SYS(accept4)
{
    return unsupported(a, -EINVAL);
}

PX_SYS(shutdown)
{
    return unsupported(a, -ENOTCONN);
}

PX_SYS(sendto)
{
    return unsupported(a, -ENOTCONN);
}

PX_SYS(sendmsg)
{
    return unsupported(a, -ENOTCONN);
}

PX_SYS(recvfrom)
{
    return unsupported(a, -ENOTCONN);
}

PX_SYS(recvmsg)
{
    return unsupported(a, -ENOTCONN);
}

PX_SYS(getsockname)
{
    return unsupported(a, -EOPNOTSUPP);
}

PX_SYS(getpeername)
{
    return unsupported(a, -ENOTCONN);
}

PX_SYS(setsockopt)
{
    return unsupported(a, -ENOPROTOOPT);
}

PX_SYS(getsockopt)
{
    return unsupported(a, -ENOPROTOOPT);
}

PX_SYS(socketpair)
{
    return -EAFNOSUPPORT;
}
