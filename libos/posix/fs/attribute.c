/* Mode, owner, times and size by path or descriptor. */
#include "files.h"
#include "px_calls.h"

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe
#define FALLOC_OTHERS 0x38u /* collapse, zero, insert: of no tmpfs, and refused after the length is looked at */
#define NS_PER_S 1000000000ll

static int64_t set(const struct px_node *node, const struct px_fs_attributes *attributes)
{
    if (node->kind == PX_NODE_PROC)
        return -EPERM;
    if (node->kind != PX_NODE_FS)
        return 0; /* a pipe or terminal: nobody would see the difference */
    memcpy(px_msg(), attributes, sizeof *attributes);
    return px_fs_call(PX_FS_SETATTR, PX_FS_NODE(node->ino, node->gen), 0, 0, 0, NULL);
}

static int64_t set_path(int dirfd, px_user path, unsigned walk, const struct px_fs_attributes *attributes)
{
    struct px_place place;
    int64_t status = px_find_user(dirfd, path, walk, &place);

    return status < 0 ? status : set(&place.node, attributes);
}

static int64_t set_descriptor(int fd, const struct px_fs_attributes *attributes)
{
    struct px_ofd *ofd = px_fd_get(fd);
    struct px_node node;

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    node = ofd->node;
    return set(&node, attributes);
}

/* ---- mode ------------------------------------------------------------------------------------------------------ */

static struct px_fs_attributes mode_of(uint64_t mode)
{
    return (struct px_fs_attributes){.what = PX_ATTRIBUTE_MODE, .mode = (uint32_t)mode & 07777};
}

PX_SYS(chmod)
{
    const struct px_fs_attributes attributes = mode_of(b);

    return set_path(AT_FDCWD, a, 0, &attributes);
}

PX_SYS(fchmod)
{
    const struct px_fs_attributes attributes = mode_of(b);

    return set_descriptor((int)a, &attributes);
}

PX_SYS(fchmodat)
{
    const struct px_fs_attributes attributes = mode_of(c);

    return set_path((int)a, b, 0, &attributes);
}

/* ---- owner ----------------------------------------------------------------------------------------------------- */

static struct px_fs_attributes owner_of(uint64_t uid, uint64_t gid)
{
    struct px_fs_attributes attributes = {.what = PX_ATTRIBUTE_CHOWN, .uid = (uint32_t)uid, .gid = (uint32_t)gid};

    attributes.what |= (uint32_t)uid == UINT32_MAX ? 0 : PX_ATTRIBUTE_UID;
    attributes.what |= (uint32_t)gid == UINT32_MAX ? 0 : PX_ATTRIBUTE_GID;
    return attributes;
}

PX_SYS(chown)
{
    const struct px_fs_attributes attributes = owner_of(b, c);

    return set_path(AT_FDCWD, a, 0, &attributes);
}

PX_SYS(lchown)
{
    const struct px_fs_attributes attributes = owner_of(b, c);

    return set_path(AT_FDCWD, a, PX_WALK_NOFOLLOW, &attributes);
}

PX_SYS(fchown)
{
    const struct px_fs_attributes attributes = owner_of(b, c);

    return set_descriptor((int)a, &attributes);
}

PX_SYS(fchownat)
{
    const struct px_fs_attributes attributes = owner_of(c, d);

    if (e & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return set_path((int)a, b,
                    (e & AT_SYMLINK_NOFOLLOW ? PX_WALK_NOFOLLOW : 0) | (e & AT_EMPTY_PATH ? PX_WALK_EMPTY : 0),
                    &attributes);
}

/* ---- times ----------------------------------------------------------------------------------------------------- */

static const struct px_fs_attributes both_now = {.what = PX_ATTRIBUTE_ATIME_NOW | PX_ATTRIBUTE_MTIME_NOW};

static int64_t time_of(int64_t seconds, int64_t ns)
{
    if (seconds > PX_TIME_SECONDS_MAX)
        seconds = PX_TIME_SECONDS_MAX;
    if (seconds < -PX_TIME_SECONDS_MAX)
        seconds = -PX_TIME_SECONDS_MAX;
    return PX_TIME(seconds, ns);
}

/* One of the two times of utimensat. */
static int64_t read_time(const struct px_timespec *time, uint32_t set_bit, uint32_t now_bit, uint32_t *what,
                         int64_t *to)
{
    if (time->tv_nsec == UTIME_OMIT)
        return 0;
    if (time->tv_nsec == UTIME_NOW) {
        *what |= now_bit;
        return 0;
    }
    if (time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S)
        return -EINVAL;
    *what |= set_bit;
    *to = time_of(time->tv_sec, time->tv_nsec);
    return 0;
}

static int64_t read_times(px_user from, struct px_fs_attributes *attributes)
{
    struct px_timespec time[2];
    int64_t status;

    *attributes = both_now;
    if (!from)
        return 0;
    if (px_copy_in(time, from, sizeof time) != 0)
        return -EFAULT;
    attributes->what = 0;
    status = read_time(&time[0], PX_ATTRIBUTE_ATIME, PX_ATTRIBUTE_ATIME_NOW, &attributes->what, &attributes->atime);
    if (status == 0)
        status =
            read_time(&time[1], PX_ATTRIBUTE_MTIME, PX_ATTRIBUTE_MTIME_NOW, &attributes->what, &attributes->mtime);
    return status;
}

PX_SYS(utimensat)
{
    struct px_fs_attributes attributes;
    unsigned walk = (d & AT_SYMLINK_NOFOLLOW ? PX_WALK_NOFOLLOW : 0) | (d & AT_EMPTY_PATH ? PX_WALK_EMPTY : 0);
    int64_t status = read_times(c, &attributes);
    bool wrong = status == -EINVAL; /* told when the file has been found */
    struct px_place place;

    if (status < 0 && !wrong)
        return status;
    if (!wrong && attributes.what == 0)
        return 0;
    if (!b && (int)a != AT_FDCWD && wrong && !d)
        return px_fd_get((int)a) ? -EINVAL : -EBADF;
    if (!b)
        return (int)a == AT_FDCWD ? -EFAULT : d ? -EINVAL : set_descriptor((int)a, &attributes);
    if (d & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!wrong)
        return set_path((int)a, b, walk, &attributes);
    status = px_find_user((int)a, b, walk, &place);
    return status < 0 ? status : -EINVAL;
}

static int64_t read_microseconds(px_user from, struct px_fs_attributes *attributes)
{
    struct px_timeval time[2];

    *attributes = both_now;
    if (!from)
        return 0;
    if (px_copy_in(time, from, sizeof time) != 0)
        return -EFAULT;
    for (unsigned i = 0; i < 2; i++) {
        if (time[i].tv_usec < 0 || time[i].tv_usec >= 1000000)
            return -EINVAL;
    }
    *attributes = (struct px_fs_attributes){.what = PX_ATTRIBUTE_ATIME | PX_ATTRIBUTE_MTIME,
                                            .atime = time_of(time[0].tv_sec, time[0].tv_usec * 1000),
                                            .mtime = time_of(time[1].tv_sec, time[1].tv_usec * 1000)};
    return 0;
}

PX_SYS(utimes)
{
    struct px_fs_attributes attributes;
    int64_t status = read_microseconds(b, &attributes);

    return status < 0 ? status : set_path(AT_FDCWD, a, 0, &attributes);
}

PX_SYS(futimesat)
{
    struct px_fs_attributes attributes;
    int64_t status = read_microseconds(c, &attributes);

    if (status < 0)
        return status;
    return b ? set_path((int)a, b, 0, &attributes) : set_descriptor((int)a, &attributes);
}

PX_SYS(utime)
{
    struct px_fs_attributes attributes = both_now;
    int64_t seconds[2];

    if (b) {
        if (px_copy_in(seconds, b, sizeof seconds) != 0)
            return -EFAULT;
        attributes = (struct px_fs_attributes){.what = PX_ATTRIBUTE_ATIME | PX_ATTRIBUTE_MTIME,
                                               .atime = time_of(seconds[0], 0),
                                               .mtime = time_of(seconds[1], 0)};
    }
    return set_path(AT_FDCWD, a, 0, &attributes);
}

/* ---- size ------------------------------------------------------------------------------------------------------ */

PX_SYS(truncate)
{
    struct px_place place;
    int64_t status;

    if ((int64_t)b < 0)
        return -EINVAL;
    status = px_find_user(AT_FDCWD, a, 0, &place);
    if (status < 0)
        return status;
    if (S_ISDIR(place.node.mode))
        return -EISDIR;
    if (!S_ISREG(place.node.mode) || place.node.kind != PX_NODE_FS)
        return -EINVAL;
    return px_file_truncate(&place.node, b, 0);
}

#define FALLOC_KEEP_SIZE 1u
#define FALLOC_PUNCH_HOLE 2u

PX_SYS(fallocate)
{
    struct px_ofd *ofd = px_fd_get((int)a);
    uint64_t node, op = PX_FS_FILL | (b & FALLOC_KEEP_SIZE) << 32;

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    if ((int64_t)c < 0 || (int64_t)d <= 0)
        return -EINVAL;
    if (b & ~(uint64_t)(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_OTHERS) || b == FALLOC_PUNCH_HOLE)
        return -EOPNOTSUPP;
    if ((ofd->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (ofd->kind != PX_OFD_FILE)
        return ofd->kind == PX_OFD_PIPE ? -ESPIPE : -ENODEV;
    if (c + d > PX_FILE_MAX)
        return -EFBIG;
    if (b & FALLOC_OTHERS)
        return -EOPNOTSUPP;
    if (!(b & FALLOC_PUNCH_HOLE) && px_file_may_grow(&ofd->node, c + d) < 0)
        return -EFBIG;
    node = PX_FS_NODE(ofd->node.ino, ofd->node.gen);
    if (b & FALLOC_PUNCH_HOLE)
        return px_file_punch(&ofd->node, c, d, ofd->word[PX_WORD_TOKEN]);
    return px_fs_call(op, node, c, d, ofd->word[PX_WORD_TOKEN], NULL);
}
