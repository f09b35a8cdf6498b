/* open and its relatives. An existing file opened for reading costs no message: permission is checked here, and again
 * by fs when pages are asked for. */
#include "files.h"
#include "fd/fd.h"
#include "proto/watch.h"
#include "px_calls.h"

#define O_ASYNC 020000
#define KNOWN_FLAGS                                                                                             \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_ASYNC | O_DIRECT | \
     O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_SYNC | O_PATH | O_TMPFILE)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

/* What opening by a path, the hot one, shares with opening by a handle is a part of each. */
#define INLINE static inline __attribute__((always_inline))

static unsigned rights_of(unsigned flags)
{
    return 0x6624u >> 4 * (flags & O_ACCMODE) & 7; /* r, w, rw, rw */
}

PX_APART static int64_t no_description(const struct px_node *node, bool writing)
{
    if (writing)
        px_node_drop_write(node);
    else
        px_node_drop(node);
    return -ENFILE;
}

/* A description for an inode: held first, so that it is what was found. */
INLINE int64_t describe(enum px_ofd_kind kind, const struct px_node *node, unsigned flags, uint64_t token, struct px_ofd **ofd)
{
    const bool writing = kind == PX_OFD_FILE && rights_of(flags) & 2;
    int64_t status = px_node_hold_as(node, writing);

    if (status < 0)
        return status;
    *ofd = px_ofd_new(kind, flags);
    if (!*ofd)
        return no_description(node, writing);
    (*ofd)->node = *node;
    (*ofd)->word[PX_WORD_TOKEN] = token;
    return 0;
}

INLINE int64_t check_flags(const struct px_node *node, unsigned flags)
{
    unsigned rights = rights_of(flags);

    if (S_ISLNK(node->mode))
        return flags & O_DIRECTORY ? -ENOTDIR : -ELOOP;
    if (S_ISDIR(node->mode) && (rights & 2 || flags & (O_CREAT | O_TRUNC)))
        return -EISDIR;
    if (flags & O_DIRECTORY && !S_ISDIR(node->mode))
        return -ENOTDIR;
    if (node->kind == PX_NODE_FS && px_node_access(node, rights) < 0)
        return -EACCES;
    if (flags & O_NOATIME && px_self()->fsuid != 0 && px_self()->fsuid != node->uid)
        return -EPERM;
    return 0;
}

/* A regular file or directory of fs that is there. */
INLINE int64_t open_inode(const struct px_node *node, unsigned flags, struct px_ofd **ofd)
{
    enum px_ofd_kind kind = S_ISDIR(node->mode) ? PX_OFD_DIRECTORY : PX_OFD_FILE;
    uint64_t token = 0;
    int64_t status = describe(kind, node, flags, 0, ofd);

    if (status < 0 || (!(rights_of(flags) & 2) && !(flags & O_TRUNC)))
        return status;
    status = px_fs_call(PX_FS_OPEN, PX_FS_NODE(node->ino, node->gen), rights_of(flags) | (flags & O_TRUNC ? 2 : 0),
                        flags & O_TRUNC ? 1 : 0, 0, &token);
    if (status < 0) {
        px_file_let_go(*ofd);
        px_ofd_abandon(*ofd);
        return status == -ESTALE ? -ENOENT : status;
    }
    (*ofd)->word[PX_WORD_TOKEN] = token;
    return 0;
}

/* Descriptors that were opened for reading while the credentials allowed it keep that right: asked for only when credentials are about to change. */
void px_files_keep_rights(void)
{
    for (int fd = px_fd_next(0); fd >= 0; fd = px_fd_next((unsigned)fd + 1)) {
        struct px_ofd *ofd = px_fd_get(fd);
        uint64_t token = 0;

        if (ofd->kind != PX_OFD_FILE || ofd->word[PX_WORD_TOKEN] || !(rights_of(ofd->flags) & 4))
            continue;
        if (px_fs_call(PX_FS_OPEN, PX_FS_NODE(ofd->node.ino, ofd->node.gen), 4, 0, 0, &token) >= 0)
            ofd->word[PX_WORD_TOKEN] = token;
    }
}

/* What the walk found. */
INLINE int64_t open_found(const struct px_node *node, const char *path, unsigned flags, struct px_ofd **ofd)
{
    int64_t status;

    if (flags & O_PATH) {
        if (flags & O_DIRECTORY && !S_ISDIR(node->mode))
            return -ENOTDIR;
        return describe(PX_OFD_PATH, node, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW), 0, ofd);
    }
    status = check_flags(node, flags);
    if (status < 0)
        return status;
    if (node->kind == PX_NODE_FS && (S_ISREG(node->mode) || S_ISDIR(node->mode)))
        return open_inode(node, flags, ofd);
    return px_open_node(node, path, flags, NULL, ofd);
}

PX_PACKED(held) PX_WHOLE int64_t px_file_made(const struct px_fs_made *made, unsigned flags, struct px_ofd **ofd)
{
    struct px_node node = {.kind = PX_NODE_FS,
                           .mode = S_IFREG,
                           .ino = PX_FS_INO(made->node),
                           .gen = PX_FS_GEN(made->node)};
    int64_t status = describe(PX_OFD_FILE, &node, flags, made->token, ofd);
    const struct px_inode *inode = status == 0 ? px_held_inode(&node) : NULL;

    if (inode)
        px_node_fill(&(*ofd)->node, PX_FS_INO(made->node), inode);
    return status;
}

/* Makes the file that is not there. -EEXIST: somebody was faster. */
static int64_t open_new(const struct px_place *place, unsigned flags, unsigned mode, struct px_ofd **ofd)
{
    struct px_fs_made made;
    int64_t status;

    if (flags & O_DIRECTORY)
        return -EINVAL;
    if (!place->directory)
        return -ENOENT;
    status = px_fs_create(place, S_IFREG | (mode & 07777 & ~px_umask), 0, NULL, 0, &made);
    return status < 0 ? status : px_file_made(&made, flags, ofd);
}

#define RACES_MAX 16u

/* A name may come or go between the walk and the call: then everything again. */
static int64_t open_path(int dirfd, const char *path, unsigned resolve, unsigned flags, unsigned mode, struct px_ofd **ofd)
{
    unsigned walk =
        resolve |
        (flags & O_NOFOLLOW || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? PX_WALK_NOFOLLOW : 0) |
        (flags & O_CREAT ? PX_WALK_PARENT | PX_WALK_STAY : 0);
    struct px_place place;
    int64_t status = -ENOENT;

    for (unsigned races = 0; races < RACES_MAX; races++) {
        status = px_find(dirfd, path, walk, NULL, &place);
        if (status < 0)
            return status;
        if (flags & O_CREAT && place.slash && place.last == PX_LAST_NAME)
            return -EISDIR; /* whatever has the name */
        if (place.node.kind == 0) {
            status = open_new(&place, flags, mode, ofd);
            if (status == -EEXIST && !(flags & O_EXCL))
                continue;
            return status;
        }
        if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
            return -EEXIST;
        status = open_found(&place.node, path, flags, ofd);
        if (status != -ENOENT || place.node.kind != PX_NODE_FS)
            return status;
    }
    return status;
}

static int64_t open_nameless(int dirfd, const char *path, unsigned resolve, unsigned flags, unsigned mode, struct px_ofd **ofd)
{
    struct px_place place, new = {.length = 0};
    struct px_fs_made made;
    int64_t status = px_find(dirfd, path, resolve | PX_WALK_DIRECTORY, NULL, &place);

    if (status < 0)
        return status;
    if (place.node.kind != PX_NODE_FS)
        return -EOPNOTSUPP;
    new.directory = PX_FS_NODE(place.node.ino, place.node.gen);
    status = px_fs_create(&new, S_IFREG | (mode & 07777 & ~px_umask), 0, NULL,
                          PX_CREATE_TMPFILE | (flags & O_EXCL ? PX_CREATE_NOLINK : 0), &made);
    return status < 0 ? status : px_file_made(&made, flags, ofd);
}

/* The descriptor of what was opened, or its end. */
INLINE int64_t install(struct px_ofd *ofd, unsigned flags)
{
    int64_t status;

    ofd->flags |= O_LARGEFILE & (flags & O_PATH ? 0 : ~0u);
    status = px_fd_install(ofd, 0, flags & O_CLOEXEC);
    if (status < 0) {
        if (ofd->kind < PX_OFD_KINDS && px_ops[ofd->kind]->drop)
            px_ops[ofd->kind]->drop(ofd);
        if (ofd->kind < PX_OFD_KINDS && px_ops[ofd->kind]->destroy)
            px_ops[ofd->kind]->destroy(ofd);
        px_ofd_abandon(ofd);
    } else if (PX_META_LOAD(px_meta()->watches) && (ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY)) {
        px_watch_tell(ofd, IN_OPEN);
    }
    return status;
}

/* resolve: PX_WALK_NO_XDEV and so on */
PX_PACKED(open) static int64_t open_at(int dirfd, px_user user_path, unsigned resolve, unsigned flags, unsigned mode)
{
    char path[PATH_MAX];
    struct px_ofd *ofd;
    int64_t status = px_copy_string(path, user_path, sizeof path);

    if (status < 0)
        return status;
    flags &= KNOWN_FLAGS;
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    else if (flags & TMPFILE_BIT && ((flags & (O_DIRECTORY | O_CREAT)) != O_DIRECTORY || !(rights_of(flags) & 2)))
        return -EINVAL;
    status = px_fd_room();
    if (status < 0)
        return status;
    if (flags & TMPFILE_BIT)
        status = open_nameless(dirfd, path, resolve, flags & ~TMPFILE_BIT & ~(unsigned)O_DIRECTORY, mode, &ofd);
    else
        status = open_path(dirfd, path, resolve, flags, mode, &ofd);
    return status < 0 ? status : install(ofd, flags);
}

PX_APART int64_t px_open_held(const struct px_node *node, unsigned flags)
{
    struct px_ofd *ofd;
    int64_t status = px_fd_room();

    flags &= KNOWN_FLAGS & ~(unsigned)(O_CREAT | O_EXCL | TMPFILE_BIT);
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (status == 0)
        status = open_found(node, "", flags, &ofd);
    return status < 0 ? status : install(ofd, flags);
}

PX_PACKED(open) PX_SYS(open)
{
    return open_at(AT_FDCWD, a, 0, (unsigned)b, (unsigned)c);
}

PX_PACKED(open) PX_SYS(openat)
{
    return open_at((int)a, b, 0, (unsigned)c, (unsigned)d);
}

PX_SYS(creat)
{
    return open_at(AT_FDCWD, a, 0, O_CREAT | O_WRONLY | O_TRUNC, (unsigned)b);
}

struct open_how {
    uint64_t flags, mode, resolve;
};
#define RESOLVE_CACHED 0x20ull
#define RESOLVE_ALL 0x3full
#define RESOLVE_SHIFT 16

/* openat2: what open passes over is an error here. */
static int64_t check_how(const struct open_how *how)
{
    bool makes = how->flags & (O_CREAT | TMPFILE_BIT);

    if (how->flags & ~(uint64_t)KNOWN_FLAGS || how->resolve & ~RESOLVE_ALL)
        return -EINVAL;
    if ((how->resolve << RESOLVE_SHIFT & (PX_WALK_BENEATH | PX_WALK_IN_ROOT)) == (PX_WALK_BENEATH | PX_WALK_IN_ROOT))
        return -EINVAL;
    if (makes ? how->mode & ~07777ull : how->mode)
        return -EINVAL;
    if (how->flags & O_PATH && how->flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        return -EINVAL;
    return how->resolve & RESOLVE_CACHED && how->flags & (O_TRUNC | O_CREAT | O_TMPFILE) ? -EAGAIN : 0;
}

PX_SYS(openat2)
{
    struct open_how how;
    int64_t status = px_copy_sized(&how, sizeof how, sizeof how, c, d);

    if (status == 0)
        status = check_how(&how);
    if (status < 0)
        return status;
    return open_at((int)a, b, (unsigned)(how.resolve & ~RESOLVE_CACHED) << RESOLVE_SHIFT, (unsigned)how.flags, (unsigned)how.mode);
}
