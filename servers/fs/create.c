/* New names: files, directories, links, devices. */
#include <exo/label.h>

#include "core.h"

#define LINKS_MAX 65000u

FS_HOT struct px_inode *fs_directory(const struct fs_caller *caller, uint64_t node, int64_t *error)
{
    struct px_inode *inode = fs_node(node);

    *error = 0;
    if (!inode)
        *error = -ENOENT;
    else if (!S_ISDIR(inode->mode))
        *error = -ENOTDIR;
    else if (!fs_may(caller, inode, 1))
        *error = -EACCES;
    return *error == 0 ? inode : NULL;
}

FS_HOT static int64_t check_mode(const struct fs_caller *caller, const struct fs_new *what)
{
    switch (what->mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFIFO:
    case S_IFSOCK: return 0;
    case S_IFCHR: return caller->uid == 0 || what->rdev == 0 ? 0 : -EPERM; /* a whiteout is anybody's */
    case S_IFBLK: return caller->uid == 0 ? 0 : -EPERM;
    case S_IFLNK: return what->target_bytes == 0 ? -ENOENT : what->target_bytes >= PATH_MAX ? -ENAMETOOLONG : 0;
    }
    return -EINVAL;
}

/* A directory with the set-group-ID bit hands down its group, and to directories the bit. */
FS_HOT static uint32_t new_inode(const struct fs_caller *caller, const struct px_inode *directory, const struct fs_new *what)
{
    uint32_t mode = what->mode & (S_IFMT | 07777), gid = caller->gid;
    uint64_t rdev = S_ISCHR(mode) || (mode & S_IFMT) == S_IFBLK ? what->rdev : 0;

    if (directory->mode & S_ISGID) {
        gid = directory->gid;
        if (S_ISDIR(mode))
            mode |= S_ISGID;
    }
    if (!S_ISDIR(mode) && (mode & (S_ISGID | 0010)) == (S_ISGID | 0010) && caller->uid != 0 &&
        !fs_in_group(caller, gid))
        mode &= ~(uint32_t)S_ISGID;
    return fs_inode_new(mode, caller->uid, gid, rdev);
}

FS_HOT static int64_t make(const struct fs_caller *caller, struct px_inode *directory, const struct fs_new *what,
                    uint32_t *ino)
{
    struct px_name *name = NULL;

    if (!fs_label_inode_room(caller->label))
        return -ENOSPC;
    if (!(what->flags & PX_CREATE_TMPFILE)) {
        name = fs_name_new(what->name, what->name_bytes);
        if (!name)
            return -ENOSPC;
    }
    *ino = new_inode(caller, directory, what);
    if (!*ino) {
        if (name)
            fs_name_free(name);
        return -ENOSPC;
    }
    fs_label_set(fs_inode(*ino), caller->label);
    if (S_ISLNK(what->mode) && fs_link_set(fs_inode(*ino), what->target, what->target_bytes) < 0) {
        fs_inode(*ino)->size = 0;
        fs_inode_free(*ino);
        fs_name_free(name);
        return -ENOSPC;
    }
    if (what->flags & PX_CREATE_MEMFD) {
        fs_inode(*ino)->flags |= what->flags & PX_CREATE_SEALABLE ? PX_INODE_SEALABLE : 0;
        fs_orphan(*ino, name, fs_number(directory));
        return 0;
    }
    if (!name) {
        fs_inode(*ino)->flags |= what->flags & PX_CREATE_NOLINK ? 0 : PX_INODE_TMPFILE;
        fs_orphan(*ino, NULL, 0);
        return 0;
    }
    fs_inode(*ino)->nlink = S_ISDIR(what->mode) ? 2 : 1;
    fs_name_enter(name, fs_number(directory), *ino);
    if (fs_watched())
        fs_watch_name(name, IN_CREATE, 0);
    if (S_ISDIR(what->mode))
        directory->nlink++;
    fs_touch(directory);
    return 0;
}

/* Whether it may be made here; *ino: what has the name. */
FS_HOT static int64_t check_new(const struct fs_caller *caller, uint64_t directory_node, const struct px_inode *directory, const struct fs_new *what,
                                uint32_t *ino)
{
    const struct px_name *old;
    int64_t status;

    if (what->flags & PX_CREATE_MEMFD) /* its name may be any: it only shows what is open */
        return S_ISREG(what->mode) && !(what->flags & PX_CREATE_TMPFILE) && what->name_bytes && what->name_bytes <= NAME_MAX ? 0 : -EINVAL;
    if (!(what->flags & PX_CREATE_TMPFILE)) {
        status = fs_name_check(what->name, what->name_bytes);
        if (status < 0)
            return status;
        old = fs_name_find(PX_FS_INO(directory_node), what->name, what->name_bytes);
        if (old) {
            *ino = old->inode;
            return -EEXIST;
        }
    } else if (!S_ISREG(what->mode)) {
        return -EINVAL;
    }
    if (directory->nlink == 0)
        return -ENOENT;
    return fs_may(caller, directory, 3) ? check_mode(caller, what) : -EACCES;
}

FS_HOT int64_t fs_create(const struct fs_caller *caller, uint64_t directory_node, const struct fs_new *what, uint32_t *ino)
{
    int64_t status;
    struct px_inode *directory = fs_directory(caller, directory_node, &status);

    *ino = 0;
    if (!directory)
        return status;
    status = check_new(caller, directory_node, directory, what, ino);
    return status < 0 ? status : make(caller, directory, what, ino);
}

/* Linux's protected_hardlinks: who does not own a file may link it only if it is an ordinary one that he may read and
 * write. */
static bool may_link(const struct fs_caller *caller, const struct px_inode *inode)
{
    if (fs_owns(caller, inode))
        return true;
    return S_ISREG(inode->mode) && !(inode->mode & S_ISUID) && (inode->mode & (S_ISGID | 0010)) != (S_ISGID | 0010) &&
           fs_may(caller, inode, 6);
}

int64_t fs_link(const struct fs_caller *caller, uint64_t from, uint64_t directory_node, const char *text,
                uint32_t bytes)
{
    int64_t status;
    struct px_inode *directory = fs_directory(caller, directory_node, &status), *inode = fs_node(from);
    struct px_name *name;

    if (!directory)
        return status;
    status = fs_name_check(text, bytes);
    if (status < 0)
        return status;
    if (fs_name_find(PX_FS_INO(directory_node), text, bytes))
        return -EEXIST;
    if (!inode || directory->nlink == 0 || (inode->nlink == 0 && !(inode->flags & PX_INODE_TMPFILE)))
        return -ENOENT;
    if (!may_link(caller, inode))
        return -EPERM; /* whatever the folder allows */
    if (!fs_may(caller, directory, 3))
        return -EACCES;
    if (S_ISDIR(inode->mode))
        return -EPERM;
    if (inode->nlink >= LINKS_MAX || !fs_label_link_room(inode))
        return -EMLINK;
    name = fs_name_new(text, bytes);
    if (!name)
        return -ENOSPC;
    if (inode->flags & PX_INODE_ORPHAN)
        fs_orphan_adopt(PX_FS_INO(from));
    inode->nlink++;
    inode->ctime = os_now();
    fs_name_enter(name, PX_FS_INO(directory_node), PX_FS_INO(from));
    fs_touch(directory);
    if (fs_watched()) {
        fs_watch_self(inode, IN_ATTRIB);
        fs_watch_name(name, IN_CREATE, 0);
    }
    return 0;
}

bool fs_root_start(void)
{
    uint32_t ino = fs_inode_new(S_IFDIR | 0755, 0, 0, 0);

    if (!ino)
        return false;
    fs_label_start();
    fs_label_set(fs_inode(ino), EXO_PLACE_PROGRAMS);
    fs_inode(ino)->nlink = 2;
    fs_inode(ino)->parent = ino;
    fs_meta()->root = ino;
    return true;
}

static void mount_point(const char name[4], uint32_t bytes, uint32_t flags)
{
    const struct fs_caller super = {.label = EXO_LABEL_TOP};
    const struct fs_new new = {.mode = S_IFDIR | 0555, .name = name, .name_bytes = bytes};
    uint32_t ino;
    int64_t status = fs_create(&super, fs_node_of(fs_meta()->root), &new, &ino);

    if ((status == 0 || status == -EEXIST) && S_ISDIR(fs_inode(ino)->mode))
        fs_inode(ino)->flags |= flags;
}

void fs_mount_proc(void)
{
    mount_point("proc", 4, PX_INODE_PROCFS);
    mount_point("sys", 3, PX_INODE_PROCFS | PX_INODE_SYSFS);
}
