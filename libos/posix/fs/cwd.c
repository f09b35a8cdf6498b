/* The current directory, the root, the umask, and paths of inodes. Both directories are held like open files. */
#include "files.h"
#include "proto/proc.h"
#include "px_calls.h"

PX_HOT_DATA struct px_base px_cwd;
PX_HOT_DATA struct px_node px_root;
uint32_t px_umask = 022;

void px_files_start(void)
{
    struct px_look look;

    px_look_start(&look);
    do {
        uint32_t root = PX_META_LOAD(px_meta()->root);
        const struct px_inode *inode = px_region_inode(&look.region, root);

        if (inode)
            px_node_fill(&px_root, root, inode);
    } while (px_look_again(&look));
    px_cwd.ino = (uint32_t)px_root.ino;
    px_cwd.gen = px_root.gen;
    (void)!px_node_hold(&px_root);
    (void)!px_node_hold(&px_root);
}

/* ---- paths of inodes ------------------------------------------------------------------------------------------- */

#define DEPTH_MAX 2048u
#define DELETED " (deleted)"

struct path_text {
    char text[PATH_MAX];
    char *at; /* it begins here and ends with the array */
    bool beyond; /* it is not below the process's root, and begins at that of all */
};

static int64_t put_front(struct path_text *path, const char *part, size_t bytes)
{
    if ((size_t)(path->at - path->text) < bytes)
        return -ERANGE;
    path->at -= bytes;
    memcpy(path->at, part, bytes);
    return 0;
}

/* Puts the inode's name and a slash in front. *directory: where the name is. -ENOENT: it has none. */
static int64_t put_name(const struct px_region *region, const struct px_inode *inode, struct path_text *path,
                        uint32_t *directory)
{
    uint32_t at = PX_META_LOAD(inode->name);
    const struct px_name *name = px_region_at(region, at, sizeof *name);
    uint8_t length = name ? PX_META_LOAD(name->length) : 0;
    int64_t status;

    if (!name || !px_region_at(region, at, sizeof *name + length))
        return -ENOENT;
    *directory = PX_META_LOAD(name->directory);
    status = put_front(path, name->text, length);
    return status < 0 ? status : put_front(path, "/", 1);
}

/* From the inode up to the process's root. */
static int64_t path_up(const struct px_region *region, uint32_t ino, struct path_text *path)
{
    const uint32_t top = PX_META_LOAD(px_meta()->root);

    for (unsigned depth = 0; ino != (uint32_t)px_root.ino; depth++) {
        const struct px_inode *inode = px_region_inode(region, ino);
        int64_t status =
            inode && PX_META_LOAD(inode->nlink) && depth < DEPTH_MAX ? put_name(region, inode, path, &ino) : -ENOENT;

        if (status < 0)
            return status;
        path->beyond = ino == top && top != (uint32_t)px_root.ino;
        if (path->beyond)
            return 0;
    }
    return 0;
}

/* One that never had a name (O_TMPFILE). Where it would have been is not known. */
static int64_t path_of_nameless(uint32_t ino, struct path_text *path)
{
    int64_t status = put_front(path, DELETED, sizeof DELETED - 1);

    do {
        char digit = (char)('0' + ino % 10);

        if (status == 0)
            status = put_front(path, &digit, 1);
        ino /= 10;
    } while (ino);
    return status < 0 ? status : put_front(path, "/#", 2);
}

/* A file without a name had one: that, as Linux says it. */
static int64_t path_deleted(const struct px_region *region, const struct px_inode *inode, uint32_t ino, struct path_text *path)
{
    char *end = path->at;
    uint32_t directory;
    int64_t status = put_front(path, DELETED, sizeof DELETED - 1);

    if (status == 0)
        status = put_name(region, inode, path, &directory);
    if (status == 0) {
        char *name = path->at;

        if (path_up(region, directory, path) < 0)
            path->at = name; /* the directory is gone too */
        return 0;
    }
    path->at = end;
    return status == -ENOENT ? path_of_nameless(ino, path) : status;
}

static int64_t path_once(const struct px_region *region, uint32_t ino, uint32_t gen, bool deleted,
                         struct path_text *path)
{
    const struct px_inode *inode = px_region_inode(region, ino);

    if (!inode || PX_META_LOAD(inode->gen) != gen || !PX_META_LOAD(inode->mode))
        return -ENOENT;
    if (PX_META_LOAD(inode->nlink))
        return path_up(region, ino, path);
    return deleted ? path_deleted(region, inode, ino, path) : -ENOENT;
}

static int64_t inode_path(uint32_t ino, uint32_t gen, bool deleted, char *to, size_t bytes, bool *beyond)
{
    struct path_text path;
    struct px_look look;
    int64_t status;
    size_t length;

    px_look_start(&look);
    do {
        path.at = path.text + sizeof path.text;
        path.beyond = false;
        status = path_once(&look.region, ino, gen, deleted, &path);
    } while (px_look_again(&look));
    if (status < 0 || look.failed)
        return look.failed ? -EIO : status;
    length = (size_t)(path.text + sizeof path.text - path.at);
    if (length == 0) {
        (void)put_front(&path, "/", 1);
        length = 1;
    }
    if (length > bytes)
        return -ERANGE;
    memcpy(to, path.at, length);
    *beyond = path.beyond;
    return (int64_t)length;
}

int64_t px_inode_path(uint32_t ino, uint32_t gen, bool deleted, char *to, size_t bytes)
{
    bool beyond;

    return inode_path(ino, gen, deleted, to, bytes, &beyond);
}

int64_t px_node_path(const struct px_node *node, char *to, size_t bytes)
{
    if (node->kind == PX_NODE_PROC)
        return px_procfs_path(node, to, bytes);
    return px_inode_path((uint32_t)node->ino, node->gen, true, to, bytes);
}

PX_SYS(getcwd)
{
    static const char unreachable[] = "(unreachable)";
    char path[PATH_MAX];
    int64_t length;
    bool beyond;

    if (px_cwd.ino) {
        length = inode_path(px_cwd.ino, px_cwd.gen, false, path, sizeof path - sizeof unreachable, &beyond);
        if (length > 0 && beyond) { /* chroot left it outside */
            memmove(path + sizeof unreachable - 1, path, (size_t)length);
            memcpy(path, unreachable, sizeof unreachable - 1);
            length += sizeof unreachable - 1;
        }
    } else {
        length = (int64_t)strlen(px_cwd.proc);
        memcpy(path, px_cwd.proc, (size_t)length);
    }
    if (length < 0)
        return length == -ERANGE ? -ENAMETOOLONG : length;
    path[length++] = '\0';
    if ((uint64_t)length > b)
        return -ERANGE;
    return px_copy_out(a, path, (size_t)length) < 0 ? -EFAULT : length;
}

/* ---- changing them --------------------------------------------------------------------------------------------- */

static int64_t check_directory(const struct px_node *node)
{
    if (!S_ISDIR(node->mode))
        return -ENOTDIR;
    return px_node_access(node, 1);
}

static int64_t enter(const struct px_node *node)
{
    struct px_node old = {.kind = PX_NODE_FS, .ino = px_cwd.ino, .gen = px_cwd.gen};
    struct px_base next = {.ino = (uint32_t)node->ino, .gen = node->gen};
    int64_t status = check_directory(node);

    if (status < 0)
        return status;
    if (node->kind == PX_NODE_PROC) {
        status = px_procfs_path(node, next.proc, sizeof next.proc - 1);
        next.ino = 0;
    } else {
        status = px_node_hold(node);
    }
    if (status < 0)
        return status;
    px_cwd = next;
    px_node_drop(&old);
    return 0;
}

PX_SYS(chdir)
{
    struct px_place place;
    int64_t status = px_find_user(AT_FDCWD, a, PX_WALK_DIRECTORY, &place);

    return status < 0 ? status : enter(&place.node);
}

PX_SYS(fchdir)
{
    const struct px_ofd *ofd = px_fd_get((int)a);
    struct px_place place;
    int64_t status;

    if (!ofd)
        return -EBADF;
    if (ofd->node.kind != PX_NODE_FS && ofd->node.kind != PX_NODE_PROC)
        return -ENOTDIR;
    status = px_find((int)a, "", PX_WALK_EMPTY, NULL, &place);
    return status < 0 ? status : enter(&place.node);
}

PX_SYS(chroot)
{
    struct exo_message message = {.word = {PX_PROC_CHROOT}};
    struct px_place place;
    struct px_node old = px_root;
    int64_t status = px_find_user(AT_FDCWD, a, PX_WALK_DIRECTORY, &place);

    if (status == 0)
        status = check_directory(&place.node);
    if (status < 0)
        return status;
    if (px_self()->euid != 0)
        return -EPERM;
    if (place.node.kind != PX_NODE_FS)
        return -ENOTDIR;
    message.word[1] = PX_FS_NODE(place.node.ino, place.node.gen);
    status = px_node_hold(&place.node);
    if (status == 0)
        status = px_call_server(PX_SLOT_PROC, &message);
    if (status < 0)
        return status;
    px_root = place.node;
    px_node_drop(&old);
    return 0;
}

PX_SYS(umask)
{
    uint32_t old = px_umask;

    px_umask = (uint32_t)a & 0777;
    return old;
}
