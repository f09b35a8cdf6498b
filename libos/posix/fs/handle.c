/* name_to_handle_at and open_by_handle_at: a file by its inode's number and generation, as tmpfs has it (shmem_encode_fh). */
#include "files.h"
#include "fd/fd.h"
#include "px_calls.h"

#define HANDLE_BYTES_MAX 128u
#define HANDLE_TYPE 1

struct file_handle {
    uint32_t bytes; /* of what follows the type */
    int32_t type;
    uint32_t gen, ino, ino_high;
};
#define HANDLE_HEAD offsetof(struct file_handle, gen)
#define HANDLE_BYTES (uint32_t)(sizeof(struct file_handle) - HANDLE_HEAD)

PX_SYS(name_to_handle_at)
{
    const int32_t mount = PX_MOUNT_ROOT;
    struct file_handle handle;
    struct px_place place;
    uint32_t room;
    int64_t status;

    if ((uint32_t)e & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    status = px_find_user((int)a, b, (e & AT_SYMLINK_FOLLOW ? 0 : PX_WALK_NOFOLLOW) | (e & AT_EMPTY_PATH ? PX_WALK_EMPTY : 0), &place);
    if (status < 0)
        return status;
    if (place.node.kind != PX_NODE_FS)
        return -EOPNOTSUPP;
    if (px_copy_in(&room, c, sizeof room) != 0)
        return -EFAULT;
    if (room > HANDLE_BYTES_MAX)
        return -EINVAL;
    handle = (struct file_handle){HANDLE_BYTES, HANDLE_TYPE, place.node.gen, (uint32_t)place.node.ino, (uint32_t)(place.node.ino >> 32)};
    if (px_copy_out(d, &mount, sizeof mount) != 0 || px_copy_out(c, &handle, room < HANDLE_BYTES ? HANDLE_HEAD : sizeof handle) != 0)
        return -EFAULT;
    return room < HANDLE_BYTES ? -EOVERFLOW : 0;
}

/* The folder says which file system is meant: there is one that has handles. */
PX_SYS(open_by_handle_at)
{
    struct px_ofd *folder = (int)a == AT_FDCWD ? NULL : px_fd_get((int)a);
    struct px_node node = {.kind = PX_NODE_FS};
    const struct px_inode *inode;
    struct file_handle handle;
    int64_t status;

    if (px_self()->euid)
        return -EPERM;
    if (px_copy_in(&handle, b, HANDLE_HEAD) != 0)
        return -EFAULT;
    if (handle.bytes == 0 || handle.bytes > HANDLE_BYTES_MAX)
        return -EINVAL;
    if (handle.bytes < HANDLE_BYTES || handle.type != HANDLE_TYPE)
        return -ESTALE;
    if (px_copy_in(&handle, b, sizeof handle) != 0)
        return -EFAULT;
    if ((int)a != AT_FDCWD && !folder)
        return -EBADF;
    if ((folder && folder->node.kind != PX_NODE_FS) || handle.ino_high)
        return -ESTALE;
    node.gen = handle.gen;
    node.ino = handle.ino;
    if (px_node_hold(&node) < 0)
        return -ESTALE;
    inode = px_held_inode(&node);
    if (inode)
        px_node_fill(&node, handle.ino, inode);
    status = inode ? px_open_held(&node, (unsigned)c) : -ESTALE;
    px_node_drop(&node);
    return status;
}
