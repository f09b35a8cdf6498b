/* Calls that make, take away and move names. Each is a walk here and one message to fs. */
#include "files.h"
#include "px_calls.h"

/* A name is made, taken away or moved: a symbolic link of that name is not followed, whatever comes behind it. */
#define LAST_ITSELF (PX_WALK_NOFOLLOW | PX_WALK_STAY)

/* The place for a new name: -EEXIST when there is something. */
static int64_t find_new(int dirfd, px_user path, struct px_place *place)
{
    int64_t status = px_find_user(dirfd, path, PX_WALK_PARENT | LAST_ITSELF, place);

    if (status < 0)
        return status;
    if (place->node.kind || place->last != PX_LAST_NAME)
        return -EEXIST;
    return place->directory ? 0 : -EPERM;
}

static int64_t make_node(int dirfd, px_user path, unsigned mode, uint64_t rdev)
{
    struct px_place place;
    struct px_fs_made made;
    int64_t status;

    switch (mode & S_IFMT) {
    case 0: mode |= S_IFREG; break;
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK: break;
    case S_IFDIR: return -EPERM;
    default: return -EINVAL;
    }
    status = find_new(dirfd, path, &place);
    if (status < 0)
        return status;
    if (place.slash)
        return -ENOENT;
    return px_fs_create(&place, mode & ~px_umask, rdev, NULL, 0, &made);
}

PX_SYS(mknod)
{
    return make_node(AT_FDCWD, a, (unsigned)b, (uint32_t)c);
}

PX_SYS(mknodat)
{
    return make_node((int)a, b, (unsigned)c, (uint32_t)d);
}

static int64_t make_directory(int dirfd, px_user path, unsigned mode)
{
    struct px_place place;
    struct px_fs_made made;
    int64_t status = find_new(dirfd, path, &place);

    return status < 0 ? status : px_fs_create(&place, S_IFDIR | (mode & 01777 & ~px_umask), 0, NULL, 0, &made);
}

PX_PACKED(open) PX_SYS(mkdir)
{
    return make_directory(AT_FDCWD, a, (unsigned)b);
}

PX_SYS(mkdirat)
{
    return make_directory((int)a, b, (unsigned)c);
}

static int64_t make_link(px_user user_target, int dirfd, px_user path)
{
    char target[PATH_MAX];
    struct px_place place;
    struct px_fs_made made;
    int64_t status = px_copy_string(target, user_target, sizeof target);

    if (status < 0)
        return status;
    if (!*target)
        return -ENOENT;
    status = find_new(dirfd, path, &place);
    if (status < 0)
        return status;
    return place.slash ? -ENOENT : px_fs_create(&place, S_IFLNK | 0777, 0, target, 0, &made);
}

PX_SYS(symlink)
{
    return make_link(a, AT_FDCWD, b);
}

PX_SYS(symlinkat)
{
    return make_link(a, (int)b, c);
}

/* ---- links ----------------------------------------------------------------------------------------------------- */

static int64_t link_at(int old_fd, px_user old_path, int new_fd, px_user new_path, unsigned flags)
{
    unsigned walk = (flags & AT_SYMLINK_FOLLOW ? 0 : PX_WALK_NOFOLLOW) | (flags & AT_EMPTY_PATH ? PX_WALK_EMPTY : 0);
    struct px_place old, new;
    int64_t status;

    if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    status = px_find_user(old_fd, old_path, walk, &old);
    if (status < 0)
        return status;
    status = find_new(new_fd, new_path, &new);
    if (status < 0)
        return status;
    if (new.slash)
        return -ENOENT;
    if (old.node.kind != PX_NODE_FS)
        return -EXDEV;
    return px_fs_names(PX_FS_LINK, PX_FS_NODE(old.node.ino, old.node.gen), NULL, &new, 0);
}

PX_SYS(link)
{
    return link_at(AT_FDCWD, a, AT_FDCWD, b, 0);
}

PX_SYS(linkat)
{
    return link_at((int)a, b, (int)c, d, (unsigned)e);
}

/* ---- taking away ----------------------------------------------------------------------------------------------- */

PX_PACKED(open) static int64_t remove_at(int dirfd, px_user path, bool directory)
{
    struct px_place place;
    int64_t status = px_find_user(dirfd, path, PX_WALK_NAME | LAST_ITSELF, &place);

    if (status < 0)
        return status;
    switch ((enum px_last)place.last) {
    case PX_LAST_NAME: break;
    case PX_LAST_DOT: return directory ? -EINVAL : -EISDIR;
    case PX_LAST_DOTDOT: return directory ? -ENOTEMPTY : -EISDIR;
    case PX_LAST_ROOT: return directory ? -EBUSY : -EISDIR;
    }
    if (!place.directory)
        return place.node.kind == PX_NODE_PROC && directory ? -EBUSY : -EPERM;
    if (place.slash && !directory)
        return S_ISDIR(place.node.mode) ? -EISDIR : -ENOTDIR;
    return px_fs_names(PX_FS_UNLINK, 0, &place, NULL, directory ? PX_FS_RMDIR : 0);
}

PX_PACKED(open) PX_SYS(unlink)
{
    return remove_at(AT_FDCWD, a, false);
}

PX_PACKED(open) PX_SYS(rmdir)
{
    return remove_at(AT_FDCWD, a, true);
}

PX_PACKED(open) PX_SYS(unlinkat)
{
    return c & ~(uint64_t)AT_REMOVEDIR ? -EINVAL : remove_at((int)a, b, c & AT_REMOVEDIR);
}

/* ---- rename ---------------------------------------------------------------------------------------------------- */

static int64_t rename_at(int old_fd, px_user old_path, int new_fd, px_user new_path, unsigned flags)
{
    struct px_place old, new;
    int64_t status;

    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) ||
        (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
        return -EINVAL;
    status = px_find_user(old_fd, old_path, PX_WALK_NAME | LAST_ITSELF, &old);
    if (status == -ENOENT && px_find_user(old_fd, old_path, PX_WALK_PARENT | LAST_ITSELF, &old) == 0) {
        status = px_find_user(new_fd, new_path, PX_WALK_PARENT | LAST_ITSELF, &new); /* directories come before names */
        return status < 0 ? status : -ENOENT;
    }
    if (status == 0)
        status = px_find_user(new_fd, new_path, PX_WALK_PARENT | LAST_ITSELF, &new);
    if (status < 0)
        return status;
    if (old.last != PX_LAST_NAME || new.last != PX_LAST_NAME)
        return flags & RENAME_NOREPLACE && new.last != PX_LAST_NAME ? -EEXIST : -EBUSY;
    if (!old.directory || !new.directory)
        return -EXDEV;
    if (flags & RENAME_NOREPLACE && new.node.kind)
        return -EEXIST;
    if (flags & RENAME_EXCHANGE && (!new.node.kind || (new.slash && !S_ISDIR(new.node.mode))))
        return new.node.kind ? -ENOTDIR : -ENOENT;
    if ((old.slash || (new.slash && !(flags & RENAME_EXCHANGE))) && !S_ISDIR(old.node.mode))
        return -ENOTDIR;
    return px_fs_names(PX_FS_RENAME, 0, &old, &new, flags);
}

PX_PACKED(open) PX_SYS(rename)
{
    return rename_at(AT_FDCWD, a, AT_FDCWD, b, 0);
}

PX_SYS(renameat)
{
    return rename_at((int)a, b, (int)c, d, 0);
}

PX_SYS(renameat2)
{
    return rename_at((int)a, b, (int)c, d, (unsigned)e);
}
