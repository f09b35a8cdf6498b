/* Addresses: what the program's structures say, and what getsockname and getpeername tell. */
#include "address.h"

#include "fs/files.h"

#define UNIX_PATH_MAX 108u

int64_t px_address_read(struct px_ofd *ofd, px_user from, uint64_t bytes, struct px_address *address)
{
    uint16_t family;

    memset(address, 0, sizeof *address);
    if ((uint32_t)bytes > 128 || (uint32_t)bytes < sizeof family)
        return -EINVAL;
    address->bytes = (uint32_t)bytes < PX_NAME_BYTES ? (uint32_t)bytes : PX_NAME_BYTES;
    if (px_copy_in(address->name, from, address->bytes) != 0)
        return -EFAULT;
    if (px_internet(px_socket_of(ofd)->domain))
        return px_internet_read(px_socket_of(ofd)->domain, bytes, address);
    memcpy(&family, address->name, sizeof family);
    if (family != px_socket_of(ofd)->domain || (uint32_t)bytes > sizeof family + UNIX_PATH_MAX)
        return -EINVAL;
    if (address->bytes == sizeof family || !address->name[sizeof family])
        return 0; /* no name yet, or an abstract one, in which every byte counts */
    memcpy(address->path, address->name + sizeof family, address->bytes - sizeof family);
    address->bytes = (unsigned)(sizeof family + strlen(address->path) + 1);
    if (address->bytes > PX_NAME_BYTES)
        address->bytes = PX_NAME_BYTES;
    return 0;
}

/* The socket's inode at a path: PX_FS_NODE. */
int64_t px_address_find(const struct px_address *address, uint64_t *node)
{
    struct px_node found;
    int64_t result = px_walk(AT_FDCWD, address->path, 0, &found);

    if (result < 0)
        return result;
    if ((found.mode & S_IFMT) != S_IFSOCK || found.kind != PX_NODE_FS)
        return px_node_access(&found, 2) < 0 ? -EACCES : -ECONNREFUSED;
    *node = PX_FS_NODE(found.ino, found.gen);
    return 0;
}

int64_t px_address_make(const struct px_address *address, uint64_t *node)
{
    struct px_ids ids;
    struct px_place place;
    struct px_fs_made made;
    int64_t result;

    px_ids_effective(&ids);
    result = px_find(AT_FDCWD, address->path, PX_WALK_PARENT | PX_WALK_NOFOLLOW | PX_WALK_STAY, &ids, &place);
    if (result < 0)
        return result;
    if (place.node.kind || place.last != PX_LAST_NAME)
        return -EADDRINUSE;
    if (!place.directory || place.slash)
        return place.slash ? -ENOENT : -EPERM;
    result = px_fs_create(&place, S_IFSOCK | (0777 & ~px_umask), 0, NULL, 0, &made);
    *node = made.node;
    return result == -EEXIST ? -EADDRINUSE : result;
}

int64_t px_socket_put_name(const struct px_end *end, px_user to, uint32_t *room)
{
    uint32_t bytes = end->name_bytes <= sizeof end->name ? end->name_bytes : 0;
    uint32_t part = bytes < *room ? bytes : *room;

    *room = bytes;
    return px_copy_out(to, end->name, part);
}

/* One without a name has its family alone. */
int64_t px_socket_tell_name(struct px_ofd *ofd, unsigned side, px_user to, px_user length)
{
    const struct px_end *end = &px_socket_link(ofd)->end[side];
    uint16_t family = px_socket_of(ofd)->domain;
    struct px_end own = {.name_bytes = end->name_bytes};
    uint32_t room;
    int64_t result;

    if (px_copy_in(&room, length, sizeof room) != 0)
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    memcpy(own.name, end->name, sizeof own.name);
    if (px_internet(family)) {
        px_internet_name(family, &own);
    } else if (!own.name_bytes) {
        own.name_bytes = sizeof family;
        memcpy(own.name, &family, sizeof family);
    }
    result = px_socket_put_name(&own, to, &room);
    return result < 0 ? result : px_copy_out(length, &room, sizeof room);
}

PX_SYS(getsockname)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);

    return ofd ? px_socket_tell_name(ofd, px_socket_side(ofd), b, c) : error;
}

PX_SYS(getpeername)
{
    int64_t error;
    struct px_ofd *ofd = px_socket_get(a, &error);
    bool connected;

    if (!ofd)
        return error;
    connected = px_socket_of(ofd)->state == PX_SOCKET_CONNECTED || (px_socket_of(ofd)->aimed && px_socket_of(ofd)->type == SOCK_DGRAM);
    return connected ? px_socket_tell_name(ofd, !px_socket_side(ofd), b, c) : -ENOTCONN;
}
