/* Extended attributes. fs has them (servers/fs/xattr.c); that a file has none is seen without asking. */
#include "files.h"
#include "px_calls.h"

#include "proto/xattr.h"

#define XATTR_SIZE_MAX 65536u

struct name {
    char text[PX_XATTR_NAME_MAX + 1];
    unsigned length;
};

static int64_t read_name(px_user from, struct name *name)
{
    int64_t length = px_copy_string(name->text, from, sizeof name->text);

    if (length == -ENAMETOOLONG || length == 0)
        return -ERANGE;
    name->length = (unsigned)length;
    return length < 0 ? length : 0;
}

static int64_t node_of_path(px_user path, unsigned flags, struct px_node *node)
{
    struct px_place place;
    int64_t status = px_find_user(AT_FDCWD, path, flags, &place);

    if (status == 0)
        *node = place.node;
    return status;
}

static int64_t node_of_descriptor(int fd, struct px_node *node)
{
    const struct px_ofd *ofd = px_fd_get(fd);

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    *node = ofd->node;
    return 0;
}

static bool has_some(const struct px_node *node)
{
    const struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};
    const struct px_inode *inode = px_region_inode(&region, (uint32_t)node->ino);

    return !inode || PX_META_LOAD(inode->gen) != node->gen || PX_META_LOAD(inode->extended);
}

static int64_t ask(enum px_xattr_call call, const struct px_node *node, const struct name *name, px_user value, uint64_t bytes, uint32_t flags)
{
    struct px_xattr *head = px_msg();
    uint8_t *text = (uint8_t *)(head + 1);

    *head = (struct px_xattr){.flags = flags, .name_bytes = name ? name->length : 0, .value_bytes = (uint32_t)bytes};
    if (name)
        memcpy(text, name->text, name->length);
    if (bytes && px_copy_in(text + head->name_bytes, value, bytes) != 0)
        return -EFAULT;
    return px_fs_call(PX_FS_XATTR, PX_FS_NODE(node->ino, node->gen), call, 0, 0, NULL);
}

/* What fs has answered, to the program: its size alone if no room is given. */
static int64_t give(int64_t status, px_user to, uint64_t room)
{
    if (status <= 0 || room == 0)
        return status;
    if ((uint64_t)status > room)
        return -ERANGE;
    return px_copy_out(to, px_msg(), (uint64_t)status) ? -EFAULT : status;
}

static bool starts(const struct name *name, const char *with)
{
    size_t length = strlen(with);

    return name->length > length && !memcmp(name->text, with, length);
}

/* Pipes, sockets and the like have no user.*, as all that is neither file nor directory. */
static int64_t has_no_inode(const struct px_node *node, const struct name *name, int64_t user_error)
{
    return node->kind != PX_NODE_PROC && starts(name, "user.") ? user_error : -EOPNOTSUPP;
}

static int64_t set(int64_t status, const struct px_node *node, px_user user_name, px_user value, uint64_t bytes, uint64_t flags)
{
    struct name name;

    if (flags & ~(uint64_t)(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    if (status == 0)
        status = read_name(user_name, &name);
    if (status < 0)
        return status;
    if (bytes > XATTR_SIZE_MAX)
        return -E2BIG;
    if (node->kind != PX_NODE_FS)
        return has_no_inode(node, &name, -EPERM);
    return bytes > PX_PAGE - sizeof(struct px_xattr) - name.length ? -ENOSPC : ask(PX_XATTR_SET, node, &name, value, bytes, (uint32_t)flags);
}

static int64_t get(int64_t status, const struct px_node *node, px_user user_name, px_user value, uint64_t room)
{
    struct name name;

    if (status == 0)
        status = read_name(user_name, &name);
    if (status < 0)
        return status;
    if (node->kind != PX_NODE_FS)
        return has_no_inode(node, &name, -ENODATA);
    if (!(starts(&name, "user.") || starts(&name, "trusted.") || starts(&name, "security.")))
        return -EOPNOTSUPP;
    if (!has_some(node) && !starts(&name, "user."))
        return -ENODATA;
    return give(ask(PX_XATTR_GET, node, &name, 0, 0, 0), value, room);
}

static int64_t list(int64_t status, const struct px_node *node, px_user to, uint64_t room)
{
    if (status < 0)
        return status;
    if (node->kind != PX_NODE_FS || !has_some(node))
        return 0;
    return give(ask(PX_XATTR_LIST, node, NULL, 0, 0, 0), to, room);
}

static int64_t take_away(int64_t status, const struct px_node *node, px_user user_name)
{
    struct name name;

    if (status == 0)
        status = read_name(user_name, &name);
    if (status < 0)
        return status;
    return node->kind == PX_NODE_FS ? ask(PX_XATTR_REMOVE, node, &name, 0, 0, 0) : has_no_inode(node, &name, -EPERM);
}

/* Each call in its three forms: of a path, of a link itself, of a descriptor. */
#define FORMS(call, body)                                             \
    PX_SYS(call)                                                      \
    {                                                                 \
        struct px_node node = {0};                                    \
        int64_t status = node_of_path(a, 0, &node);                   \
                                                                      \
        return body;                                                  \
    }                                                                 \
    PX_SYS(l##call)                                                   \
    {                                                                 \
        struct px_node node = {0};                                    \
        int64_t status = node_of_path(a, PX_WALK_NOFOLLOW, &node);    \
                                                                      \
        return body;                                                  \
    }                                                                 \
    PX_SYS(f##call)                                                   \
    {                                                                 \
        struct px_node node = {0};                                    \
        int64_t status = node_of_descriptor((int)a, &node);           \
                                                                      \
        return body;                                                  \
    }

FORMS(setxattr, set(status, &node, b, c, d, e))
FORMS(getxattr, get(status, &node, b, c, d))
FORMS(listxattr, list(status, &node, b, c))
FORMS(removexattr, take_away(status, &node, b))
