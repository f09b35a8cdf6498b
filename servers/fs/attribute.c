/* Mode, owner and times, by POSIX's rules. */
#include "core.h"

#define NS_PER_SECOND 1000000000

static int64_t check_owner(const struct fs_caller *caller, const struct px_inode *inode,
                           const struct px_fs_attributes *new)
{
    if (caller->uid == 0)
        return 0;
    if (new->what & PX_ATTRIBUTE_UID && (caller->uid != inode->uid || new->uid != inode->uid))
        return -EPERM;
    if (new->what & PX_ATTRIBUTE_GID &&
        (caller->uid != inode->uid || (new->gid != inode->gid && !fs_in_group(caller, new->gid))))
        return -EPERM;
    return 0;
}

/* Setting both times to now needs write permission; anything else the owner. */
static int64_t check_times(const struct fs_caller *caller, const struct px_inode *inode,
                           const struct px_fs_attributes *new)
{
    const uint32_t now = PX_ATTRIBUTE_ATIME_NOW | PX_ATTRIBUTE_MTIME_NOW,
                   set = PX_ATTRIBUTE_ATIME | PX_ATTRIBUTE_MTIME;

    if ((new->what &PX_ATTRIBUTE_ATIME &&PX_TIME_NS(new->atime) >= NS_PER_SECOND) ||
        (new->what &PX_ATTRIBUTE_MTIME &&PX_TIME_NS(new->mtime) >= NS_PER_SECOND))
        return -EINVAL;
    if (!(new->what &(now | set)) || fs_owns(caller, inode))
        return 0;
    if ((new->what &(now | set)) == now)
        return fs_may(caller, inode, 2) ? 0 : -EACCES;
    return -EPERM;
}

static void commit(const struct fs_caller *caller, struct px_inode *inode, const struct px_fs_attributes *new)
{
    int64_t now = os_now();

    if (new->what & PX_ATTRIBUTE_UID)
        inode->uid = new->uid;
    if (new->what & PX_ATTRIBUTE_GID)
        inode->gid = new->gid;
    if (new->what & (PX_ATTRIBUTE_CHOWN | PX_ATTRIBUTE_UID | PX_ATTRIBUTE_GID) && !S_ISDIR(inode->mode)) {
        inode->mode &= ~(uint32_t)S_ISUID;
        if (inode->mode & 0010)
            inode->mode &= ~(uint32_t)S_ISGID;
    }
    if (new->what & PX_ATTRIBUTE_MODE) {
        inode->mode = (inode->mode & S_IFMT) | (new->mode & 07777);
        if (caller->uid != 0 && !fs_in_group(caller, inode->gid))
            inode->mode &= ~(uint32_t)S_ISGID;
        fs_meta()->paths += S_ISDIR(inode->mode);
    }
    if (new->what &(PX_ATTRIBUTE_ATIME | PX_ATTRIBUTE_ATIME_NOW))
        inode->atime = new->what &PX_ATTRIBUTE_ATIME ? new->atime : now;
    if (new->what &(PX_ATTRIBUTE_MTIME | PX_ATTRIBUTE_MTIME_NOW))
        inode->mtime = new->what &PX_ATTRIBUTE_MTIME ? new->mtime : now;
    inode->ctime = now;
}

/* Who may run as the owner, or his group, from now on is written by nobody who had it mapped before: he need not say that he writes. */
static int64_t cut_writers(struct px_inode *inode, const struct px_fs_attributes *new)
{
    uint32_t bits = new->mode & (S_ISUID | S_ISGID);

    return new->what & PX_ATTRIBUTE_MODE && S_ISREG(inode->mode) && bits & ~inode->mode ? fs_renew_pages(inode) : 0;
}

/* What inotify calls the change. */
static uint32_t event_of(const struct px_fs_attributes *new)
{
    bool atime = new->what & (PX_ATTRIBUTE_ATIME | PX_ATTRIBUTE_ATIME_NOW), mtime = new->what & (PX_ATTRIBUTE_MTIME | PX_ATTRIBUTE_MTIME_NOW);

    if (new->what & (PX_ATTRIBUTE_MODE | PX_ATTRIBUTE_UID | PX_ATTRIBUTE_GID) || (atime && mtime))
        return IN_ATTRIB;
    return atime ? IN_ACCESS : mtime ? IN_MODIFY : 0;
}

int64_t fs_setattr(const struct fs_caller *caller, uint64_t node, const struct px_fs_attributes *new)
{
    struct px_inode *inode = fs_node(node);
    int64_t status;

    if (!inode)
        return -ENOENT;
    if (!fs_label_dominates(caller, inode))
        return -EPERM;
    if (new->what & PX_ATTRIBUTE_MODE &&S_ISLNK(inode->mode))
        return -EOPNOTSUPP;
    if (new->what & PX_ATTRIBUTE_MODE && !fs_owns(caller, inode))
        return -EPERM;
    status = check_owner(caller, inode, new);
    if (status == 0)
        status = check_times(caller, inode, new);
    if (status == 0)
        status = cut_writers(inode, new);
    if (status < 0)
        return status;
    commit(caller, inode, new);
    if (fs_watched() && event_of(new))
        fs_watch_inode(inode, event_of(new));
    return 0;
}
