/* Names taken away: unlink and rmdir. */
#include "core.h"

FS_HOT int64_t fs_may_remove(const struct fs_caller *caller, const struct px_inode *directory, const struct px_name *name)
{
    const struct px_inode *inode = fs_inode(name->inode);

    if (!fs_may(caller, directory, 3))
        return -EACCES;
    if (!fs_label_dominates(caller, inode))
        return -EPERM;
    if (directory->mode & S_ISVTX && caller->uid != 0 && caller->uid != inode->uid && caller->uid != directory->uid)
        return -EPERM;
    return 0;
}

FS_HOT static int64_t check_kind(const struct px_inode *inode, bool rmdir)
{
    if (!rmdir)
        return S_ISDIR(inode->mode) ? -EISDIR : 0;
    if (!S_ISDIR(inode->mode))
        return -ENOTDIR;
    if (inode->flags & PX_INODE_PROCFS)
        return -EBUSY;
    return inode->directory.count ? -ENOTEMPTY : 0;
}

FS_HOT int64_t fs_unlink(const struct fs_caller *caller, uint64_t directory_node, const char *text, uint32_t bytes,
                  bool rmdir)
{
    int64_t status;
    struct px_inode *directory = fs_directory(caller, directory_node, &status), *inode;
    struct px_name *name;
    uint32_t ino;

    if (!directory)
        return status;
    status = fs_name_check(text, bytes);
    if (status < 0)
        return status;
    name = fs_name_find(PX_FS_INO(directory_node), text, bytes);
    if (!name)
        return -ENOENT;
    ino = name->inode;
    inode = fs_inode(ino);
    status = fs_may_remove(caller, directory, name);
    if (status == 0)
        status = check_kind(inode, rmdir);
    if (status < 0)
        return status;
    if (fs_watched()) {
        if (!rmdir)
            fs_watch_self(inode, IN_ATTRIB);
        fs_watch_name(name, IN_DELETE, 0);
    }
    fs_name_leave(name);
    fs_touch(directory);
    inode->ctime = directory->ctime;
    inode->nlink = rmdir ? 0 : inode->nlink - 1;
    if (rmdir)
        directory->nlink--;
    if (inode->nlink == 0) {
        fs_orphan(ino, name, PX_FS_INO(directory_node));
        fs_orphans_sweep_soon(inode);
    } else {
        fs_name_free(name);
    }
    return 0;
}
