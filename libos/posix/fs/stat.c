/* What can be asked about files: stat and its relatives, access, readlink, statfs. No messages. */
#include "files.h"
#include "px_calls.h"

/* Any path. The file may be gone between the two looks: then the walk again. */
static __attribute__((noinline)) int64_t stat_any(int dirfd, const char *path, unsigned flags, struct px_stat *stat)
{
    int64_t status = -ENOENT;

    for (unsigned tries = 0; tries < 4 && status == -ENOENT; tries++) {
        struct px_place place;

        status = px_find(dirfd, path, flags, NULL, &place);
        if (status < 0)
            return status;
        status = px_node_stat(&place.node, stat);
    }
    return status;
}

static int64_t stat_path(int dirfd, px_user user_path, unsigned flags, px_user to)
{
    char path[PATH_MAX];
    struct px_stat stat;
    struct px_ids ids;
    const struct px_walk_from from = {px_cwd.ino, (uint32_t)px_root.ino, &ids};
    int64_t status = px_copy_string(path, user_path, sizeof path);

    if (status < 0)
        return status;
    px_ids_effective(&ids);
    if (!(*path == '/' || (dirfd == AT_FDCWD && from.start)) || !px_walk_stat(&from, path, &stat))
        status = stat_any(dirfd, path, flags, &stat);
    return status < 0 ? status : px_copy_out(to, &stat, sizeof stat);
}

PX_SYS(stat)
{
    return stat_path(AT_FDCWD, a, 0, b);
}

PX_SYS(lstat)
{
    return stat_path(AT_FDCWD, a, PX_WALK_NOFOLLOW, b);
}

/* A descriptor of any kind. */
static int64_t stat_descriptor(int fd, struct px_stat *stat)
{
    struct px_ofd *ofd = px_fd_get(fd);

    if (!ofd)
        return -EBADF;
    memset(stat, 0, sizeof *stat);
    if (ofd->kind < PX_OFD_KINDS && px_ops[ofd->kind] && px_ops[ofd->kind]->stat)
        return px_ops[ofd->kind]->stat(ofd, stat);
    return px_node_stat(&ofd->node, stat);
}

static bool is_empty(px_user path)
{
    char byte = 1;

    return px_copy_in(&byte, path, 1) == 0 && byte == 0;
}

static unsigned walk_flags(uint64_t flags)
{
    return (flags & AT_SYMLINK_NOFOLLOW ? PX_WALK_NOFOLLOW : 0) | (flags & AT_EMPTY_PATH ? PX_WALK_EMPTY : 0);
}

PX_SYS(newfstatat)
{
    if (d & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    if (d & AT_EMPTY_PATH && (int)a != AT_FDCWD && is_empty(b)) {
        struct px_stat stat;
        int64_t status = stat_descriptor((int)a, &stat);

        return status < 0 ? status : px_copy_out(c, &stat, sizeof stat);
    }
    return stat_path((int)a, b, walk_flags(d), c);
}

/* ---- statx ----------------------------------------------------------------------------------------------------- */

struct statx_time {
    int64_t seconds;
    uint32_t ns;
    int32_t pad;
};
struct statx {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad0;
    uint64_t ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t mount_id, pad1[13];
};
_Static_assert(sizeof(struct statx) == 256, "struct statx");

#define STATX_BASIC 0x7ffu
#define STATX_BTIME 0x800u
#define STATX_MNT_ID 0x1000u
#define STATX_RESERVED 0x80000000u
#define AT_STATX_SYNC_TYPE 0x6000u
#define ATTRIBUTE_MOUNT_ROOT 0x2000u

static struct statx_time time_of(const struct px_timespec *time)
{
    return (struct statx_time){.seconds = time->tv_sec, .ns = (uint32_t)time->tv_nsec};
}

static void fill_statx(struct statx *to, const struct px_stat *from, const struct px_node *node, uint64_t wanted)
{
    const struct px_inode *inode = node->kind == PX_NODE_FS ? px_held_inode(node) : NULL;

    memset(to, 0, sizeof *to);
    to->mask = STATX_BASIC | STATX_MNT_ID;
    to->blksize = (uint32_t)from->st_blksize;
    to->nlink = (uint32_t)from->st_nlink;
    to->uid = from->st_uid;
    to->gid = from->st_gid;
    to->mode = (uint16_t)from->st_mode;
    to->ino = from->st_ino;
    to->size = (uint64_t)from->st_size;
    to->blocks = (uint64_t)from->st_blocks;
    to->attributes_mask = ATTRIBUTE_MOUNT_ROOT;
    to->attributes = inode && node->ino == PX_META_LOAD(px_meta()->root) ? ATTRIBUTE_MOUNT_ROOT : 0;
    to->atime = time_of(&from->st_atim);
    to->ctime = time_of(&from->st_ctim);
    to->mtime = time_of(&from->st_mtim);
    if (inode && wanted & STATX_BTIME) {
        int64_t time = PX_META_LOAD(inode->btime);

        to->mask |= STATX_BTIME;
        to->btime.seconds = PX_TIME_SECONDS(time);
        to->btime.ns = (uint32_t)PX_TIME_NS(time);
    }
    to->rdev_major = PX_MAJOR(from->st_rdev);
    to->rdev_minor = PX_MINOR(from->st_rdev);
    to->dev_major = PX_MAJOR(from->st_dev);
    to->dev_minor = PX_MINOR(from->st_dev);
    to->mount_id = from->st_dev == PX_SYSFS_DEV ? 3 : node->kind == PX_NODE_PROC ? 2 : 1; /* as in mountinfo */
}

PX_SYS(statx)
{
    struct px_place place = {0};
    struct px_stat stat;
    struct statx out;
    int64_t status;

    if (c & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE) ||
        d & STATX_RESERVED || (c & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    if (c & AT_EMPTY_PATH && (int)a != AT_FDCWD && is_empty(b)) {
        status = stat_descriptor((int)a, &stat);
        if (status == 0)
            place.node = px_fd_get((int)a)->node;
    } else {
        status = px_find_user((int)a, b, walk_flags(c), &place);
        if (status == 0)
            status = px_node_stat(&place.node, &stat);
    }
    if (status < 0)
        return status;
    fill_statx(&out, &stat, &place.node, d);
    return px_copy_out(e, &out, sizeof out);
}

/* ---- access, readlink ------------------------------------------------------------------------------------------ */

static int64_t access_at(int dirfd, px_user user_path, unsigned mode, uint64_t flags)
{
    char path[PATH_MAX];
    struct px_place place;
    struct px_ids ids;
    int64_t status;

    if (mode & ~7u || flags & ~(uint64_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    status = px_copy_string(path, user_path, sizeof path);
    if (status < 0)
        return status;
    if (flags & AT_EACCESS)
        px_ids_effective(&ids);
    else
        px_ids_real(&ids);
    status = px_find(dirfd, path, walk_flags(flags), &ids, &place);
    if (status < 0 || mode == 0)
        return status;
    return px_may(&ids, place.node.mode, place.node.uid, place.node.gid, mode) ? 0 : -EACCES;
}

PX_SYS(access)
{
    return access_at(AT_FDCWD, a, (unsigned)b, 0);
}

PX_SYS(faccessat)
{
    return access_at((int)a, b, (unsigned)c, 0);
}

PX_SYS(faccessat2)
{
    return access_at((int)a, b, (unsigned)c, d);
}

/* The target of a link of fs: length, cut off at `most`. */
static int64_t link_text(const struct px_node *node, char *to, size_t most)
{
    struct px_look look;
    uint64_t length;
    bool found, noted = true;

    px_look_start(&look);
    do {
        const struct px_inode *inode = px_region_inode(&look.region, (uint32_t)node->ino);
        const char *text;

        length = 0;
        found = inode && S_ISLNK(PX_META_LOAD(inode->mode)) && PX_META_LOAD(inode->gen) == node->gen;
        if (!found)
            continue;
        length = PX_META_LOAD(inode->size);
        text = length < PX_LINK_INLINE ? inode->target
                                       : px_region_at(&look.region, PX_META_LOAD(inode->link.at), length);
        length = length < most ? length : most;
        if (text)
            memcpy(to, text, length);
        noted = px_read_noted(inode);
    } while (px_look_again(&look));
    if (!noted && found && !look.failed)
        (void)!px_fs_call(PX_FS_TOUCH, PX_FS_NODE(node->ino, node->gen), PX_TOUCH_READ, 0, 0, NULL);
    return look.failed ? -EIO : found ? (int64_t)length : -ENOENT;
}

static int64_t read_link(int dirfd, px_user path, px_user to, uint64_t bytes)
{
    char text[PATH_MAX];
    struct px_place place;
    int64_t length;

    if ((int32_t)bytes <= 0)
        return -EINVAL;
    length = px_find_user(dirfd, path, PX_WALK_NOFOLLOW | (dirfd == AT_FDCWD ? 0 : PX_WALK_EMPTY), &place);
    if (length < 0)
        return length;
    if (!S_ISLNK(place.node.mode))
        return px_copy_in(text, path, 1) == 0 && !text[0] ? -ENOENT : -EINVAL;
    if (place.node.kind == PX_NODE_PROC)
        length = px_procfs_readlink(&place.node, text, sizeof text);
    else
        length = link_text(&place.node, text, sizeof text);
    if (length < 0)
        return length;
    if ((uint64_t)length > (uint32_t)bytes)
        length = (int64_t)(uint32_t)bytes;
    return px_copy_out(to, text, (size_t)length) < 0 ? -EFAULT : length;
}

PX_SYS(readlink)
{
    return read_link(AT_FDCWD, a, b, c);
}

PX_SYS(readlinkat)
{
    return read_link((int)a, b, c, d);
}

/* ---- statfs ---------------------------------------------------------------------------------------------------- */

struct statfs {
    int64_t type, bsize;
    uint64_t blocks, bfree, bavail, files, ffree;
    int32_t fsid[2];
    int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct statfs) == 120, "struct statfs");

#define TMPFS_MAGIC 0x01021994
#define PROC_SUPER_MAGIC 0x9fa0
#define ST_VALID 0x20
#define ST_RELATIME 0x1000

static int64_t put_statfs(const struct px_node *node, px_user to)
{
    const struct px_meta *meta = px_meta();
    struct statfs out = {.type = PROC_SUPER_MAGIC,
                         .bsize = PX_PAGE,
                         .frsize = PX_PAGE,
                         .namelen = NAME_MAX,
                         .flags = ST_VALID | ST_RELATIME};

    if (node->kind == PX_NODE_FS) {
        uint64_t used = PX_META_LOAD(meta->data_pages) + PX_META_LOAD(meta->pages),
                 all = PX_META_LOAD(meta->data_pages_max);

        out.type = TMPFS_MAGIC;
        out.fsid[0] = (int32_t)PX_META_LOAD(meta->id);
        out.blocks = all;
        out.bfree = out.bavail = used < all ? all - used : 0;
        out.files = PX_META_LOAD(meta->inodes_max);
        out.ffree = out.files - PX_META_LOAD(meta->inodes);
    }
    return px_copy_out(to, &out, sizeof out);
}

PX_SYS(statfs)
{
    struct px_place place;
    int64_t status = px_find_user(AT_FDCWD, a, 0, &place);

    return status < 0 ? status : put_statfs(&place.node, b);
}

PX_SYS(fstatfs)
{
    struct px_ofd *ofd = px_fd_get((int)a);
    struct px_node node;

    if (!ofd)
        return -EBADF;
    node = ofd->node;
    return put_statfs(&node, b);
}
