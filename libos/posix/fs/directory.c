/*
 * Open directories: listing them. A position is a cookie: 0 and 1 are `.` and `..`, 2 and up the entry with that
 * cookie or the next one there is, so a listing goes on rightly whatever was added or removed meanwhile.
 */
#include "files.h"
#include "proto/watch.h"
#include "px_calls.h"

#define DT_DIR 4u
#define BATCH_BYTES 2048u
#define NAME64 19u /* offset of the name in struct linux_dirent64 */
#define NAME32 18u /* in struct linux_dirent; its type lies in the last byte */
#define ROUND8(n) (((n) + 7) & ~7ul)

struct listing {
    const struct px_inode *directory;
    struct px_region region;
    uint32_t ino;
    uint64_t position;
    uint32_t hint; /* offset of the name last given */
    bool old_layout;
    uint8_t *to;
    size_t used, room;
    bool full; /* the next entry did not fit */
};

/* Appends an entry; false: no room. */
static bool put(struct listing *listing, uint64_t ino, const char *name, unsigned length, unsigned type,
                uint64_t next)
{
    size_t start = listing->old_layout ? NAME32 : NAME64,
           bytes = ROUND8(start + length + (listing->old_layout ? 2 : 1));
    uint8_t *at = listing->to + listing->used;
    uint16_t record = (uint16_t)bytes;

    if (bytes > listing->room - listing->used) {
        listing->full = true;
        return false;
    }
    memset(at + bytes - 8, 0, 8);
    memcpy(at, &ino, 8);
    memcpy(at + 8, &next, 8);
    memcpy(at + 16, &record, 2);
    if (!listing->old_layout)
        at[18] = (uint8_t)type;
    memcpy(at + start, name, length);
    at[start + length] = 0;
    if (listing->old_layout)
        at[bytes - 1] = (uint8_t)type;
    listing->used += bytes;
    listing->position = next;
    return true;
}

/* The first name with a cookie >= position: from the hint if it still is what it was, else from the start. */
static const struct px_name *find_start(const struct listing *listing)
{
    const struct px_name *name = px_region_at(&listing->region, listing->hint, sizeof *name);
    uint32_t most = PX_META_LOAD(listing->directory->directory.count) + 1, at;

    if (name && PX_META_LOAD(name->directory) == listing->ino && PX_META_LOAD(name->cookie) + 1 == listing->position)
        at = PX_META_LOAD(name->after);
    else
        at = PX_META_LOAD(listing->directory->directory.first);
    for (uint32_t steps = 0; at && steps < most; steps++) {
        name = px_region_at(&listing->region, at, sizeof *name);
        if (!name || PX_META_LOAD(name->cookie) >= listing->position)
            return name;
        at = PX_META_LOAD(name->after);
    }
    return NULL;
}

static void put_names(struct listing *listing)
{
    const struct px_name *name = find_start(listing);

    for (;;) {
        unsigned length = name ? PX_META_LOAD(name->length) : 0;
        uint32_t at = name ? (uint32_t)((const uint8_t *)name - listing->region.base) : 0;

        if (!name || !px_region_at(&listing->region, at, sizeof *name + length) ||
            !put(listing, PX_META_LOAD(name->inode), name->text, length, PX_META_LOAD(name->type),
                 PX_META_LOAD(name->cookie) + 1))
            return;
        listing->hint = at;
        name = px_region_at(&listing->region, PX_META_LOAD(name->after), sizeof *name);
    }
}

/* One batch into listing->to. */
static int64_t list_once(struct listing *listing, const struct px_node *node)
{
    struct listing start = *listing;
    struct px_look look;
    bool there;

    px_look_start(&look);
    do {
        *listing = start;
        listing->region = look.region;
        listing->directory = px_region_inode(&look.region, (uint32_t)node->ino);
        there = listing->directory && PX_META_LOAD(listing->directory->gen) == node->gen &&
                S_ISDIR(PX_META_LOAD(listing->directory->mode));
        if (!there || (PX_META_LOAD(listing->directory->nlink) == 0))
            continue;
        if (listing->position == 0 && !put(listing, node->ino, ".", 1, DT_DIR, 1))
            continue;
        if (listing->position == 1 &&
            !put(listing, node->ino == px_root.ino ? node->ino : PX_META_LOAD(listing->directory->parent), "..", 2,
                 DT_DIR, PX_COOKIE_FIRST))
            continue;
        put_names(listing);
    } while (px_look_again(&look));
    return look.failed || !there ? -EIO : PX_META_LOAD(listing->directory->nlink) == 0 ? -ENOENT : 0;
}

static int64_t directory_getdents(struct px_ofd *ofd, px_user to, size_t bytes, bool old_layout)
{
    _Alignas(8) uint8_t batch[BATCH_BYTES];
    struct listing listing = {.ino = (uint32_t)ofd->node.ino,
                              .position = ofd->offset,
                              .hint = (uint32_t)ofd->word[PX_WORD_NAME],
                              .old_layout = old_layout,
                              .to = batch};
    struct px_node node = ofd->node;
    const struct px_inode *inode;
    uint64_t done = 0;

    for (;;) {
        int64_t status;
        uint64_t position = listing.position;

        listing.used = 0;
        listing.full = false;
        listing.room = bytes - done < sizeof batch ? bytes - done : sizeof batch;
        status = list_once(&listing, &node);
        if (status < 0)
            return done ? (int64_t)done : status;
        if (listing.used == 0)
            break;
        if (px_copy_out(to + done, batch, listing.used) != 0)
            return done ? (int64_t)done : -EFAULT;
        done += listing.used;
        ofd->offset = listing.position;
        ofd->word[PX_WORD_NAME] = listing.hint;
        if (!listing.full || listing.position == position)
            break;
    }
    inode = ofd->flags & O_NOATIME ? NULL : px_held_inode(&node);
    if (inode && !px_read_noted(inode))
        (void)!px_fs_call(PX_FS_TOUCH, PX_FS_NODE(node.ino, node.gen), PX_TOUCH_READ, 0, 0, NULL);
    return done == 0 && listing.full ? -EINVAL : (int64_t)done;
}

static int64_t directory_seek(struct px_ofd *ofd, int64_t offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : px_file_seek(ofd, offset, whence, 0);
}

static int64_t directory_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    return px_node_stat(&ofd->node, stat);
}

static int64_t directory_sync(struct px_ofd *ofd)
{
    (void)ofd;
    return 0;
}

static void directory_drop(struct px_ofd *ofd)
{
    if (ofd->kind == PX_OFD_DIRECTORY)
        px_watch_closed(ofd);
    px_node_drop(&ofd->node);
}

const struct px_ops px_directory_ops = {
    .name = "directory",
    .seek = directory_seek,
    .stat = directory_stat,
    .getdents = directory_getdents,
    .sync = directory_sync,
    .drop = directory_drop,
};

/* Descriptions of O_PATH: a place, nothing more. */
const struct px_ops px_path_ops = {.name = "path", .stat = directory_stat, .drop = directory_drop};

static int64_t getdents(int fd, px_user to, uint64_t bytes, bool old_layout)
{
    struct px_ofd *ofd = px_fd_get(fd);
    int64_t result;

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    if (ofd->kind >= PX_OFD_KINDS || !px_ops[ofd->kind]->getdents)
        return -ENOTDIR;
    result = px_ops[ofd->kind]->getdents(ofd, to, (uint32_t)bytes, old_layout);
    if (result >= 0 && PX_META_LOAD(px_meta()->watches) && ofd->kind == PX_OFD_DIRECTORY)
        px_watch_tell(ofd, IN_ACCESS);
    return result;
}

PX_SYS(getdents)
{
    return getdents((int)a, b, c, true);
}

PX_SYS(getdents64)
{
    return getdents((int)a, b, c, false);
}
