/* Addresses: who is bound where, and meeting. */
#include "socket.h"

#define UNIX_PATH_MAX 108u

struct sockaddr_un {
    uint16_t family;
    char path[UNIX_PATH_MAX];
};

PX_SYS(connect)
{
    struct sockaddr_un address = {0};
    struct px_node node;
    int64_t result;

    if (!px_socket_get(a, &result))
        return result;
    if ((uint32_t)c < sizeof address.family || (uint32_t)c > sizeof address)
        return -EINVAL;
    if (px_copy_in(&address, b, (uint32_t)c) != 0)
        return -EFAULT;
    address.path[UNIX_PATH_MAX - 1] = '\0';
    if (address.family != AF_UNIX)
        return -EINVAL;
    if (!address.path[0]) /* abstract names */
        return -ECONNREFUSED;
    result = px_walk(AT_FDCWD, address.path, 0, &node);
    return result < 0 ? result : -ECONNREFUSED;
}

/* What needs a name is not there: nobody can be bound to one. */
static int64_t unsupported(uint64_t fd, int64_t error)
{
    int64_t result;

    return px_socket_get(fd, &result) ? error : result;
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

/* An end's address for getsockname and getpeername: one without a name has its family alone. */
static int64_t tell_name(struct px_ofd *ofd, unsigned side, px_user to, px_user length)
{
    struct px_end end = {.name_bytes = px_socket_link(ofd)->end[side].name_bytes};
    uint16_t family = px_socket_of(ofd)->domain;
    uint32_t room;
    int64_t result;

    if (px_copy_in(&room, length, sizeof room) != 0)
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    memcpy(end.name, px_socket_link(ofd)->end[side].name, sizeof end.name);
    if (!end.name_bytes) {
        end.name_bytes = sizeof family;
        memcpy(end.name, &family, sizeof family);
    }
    result = px_socket_put_name(&end, to, &room);
    return result < 0 ? result : px_copy_out(length, &room, sizeof room);
}

PX_SYS(getsockname)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);

    return ofd ? tell_name(ofd, px_socket_side(ofd), b, c) : error;
}

PX_SYS(getpeername)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);

    if (!ofd)
        return error;
    return px_socket_of(ofd)->state == PX_SOCKET_CONNECTED ? tell_name(ofd, !px_socket_side(ofd), b, c) : -ENOTCONN;
}
