/* Reading fs's metadata: retries, and pages of the region that fs added since this process got its own. */
#include "files.h"

#define TRIES_QUIET 3u    /* then give way to fs */
#define TRIES_MAX 1000000000u /* minutes: fs died in the middle of a change. It is not that the host keeps fs's processor from it for a while */

void px_look_wait(struct px_look *look)
{
    while (look->seq & 1 && !look->failed) {
        look->tries++;
        look->failed = look->tries > TRIES_MAX;
        (void)!exo_yield();
        look->seq = __atomic_load_n(&px_meta()->seq, __ATOMIC_ACQUIRE);
    }
}

bool px_look_retry(struct px_look *look)
{
    if (look->failed || look->tries++ > TRIES_MAX) {
        look->failed = true;
        return false;
    }
    if (look->tries > TRIES_QUIET)
        (void)!exo_yield();
    px_look_begin(look);
    return true;
}

/* A page of the region is not mapped here: fs maps it and all behind it. */
bool px_meta_fault(uint64_t address)
{
    uint64_t page = (address - PX_META) / PX_PAGE;
    struct exo_message message = {.word = {PX_FS_META, page}};

    return address >= PX_META && address < PX_META_HI && px_call_server(PX_SLOT_FS, &message) >= 0 &&
           message.word[1] > page;
}

PX_PACKED(open) const struct px_inode *px_held_inode(const struct px_node *node)
{
    return px_held_inode_inline((uint32_t)node->ino, node->gen);
}

PX_HOT void px_node_fill(struct px_node *node, uint32_t ino, const struct px_inode *inode)
{
    node->kind = PX_NODE_FS;
    node->mode = PX_META_LOAD(inode->mode);
    node->ino = ino;
    node->gen = PX_META_LOAD(inode->gen);
    node->uid = PX_META_LOAD(inode->uid);
    node->gid = PX_META_LOAD(inode->gid);
    node->nlink = PX_META_LOAD(inode->nlink);
    node->size = px_inode_size(inode);
    node->rdev = PX_META_LOAD(inode->rdev);
}

static struct px_timespec timespec_of(int64_t time)
{
    return (struct px_timespec){PX_TIME_SECONDS(time), PX_TIME_NS(time)};
}

void px_stat_fill(struct px_stat *stat, uint32_t ino, const struct px_inode *inode)
{
    uint32_t mode = PX_META_LOAD(inode->mode);
    uint64_t size = px_inode_size(inode), pages = PX_META_LOAD(inode->pages), most = PX_PAGES_UP(size);

    if (!S_ISREG(mode))
        pages = S_ISDIR(mode);
    else if (pages > most)
        pages = most; /* those reserved beyond the end are not the file's */
    *stat = (struct px_stat){
        .st_dev = PX_FS_DEV,
        .st_ino = ino,
        .st_nlink = PX_META_LOAD(inode->nlink),
        .st_mode = mode,
        .st_uid = PX_META_LOAD(inode->uid),
        .st_gid = PX_META_LOAD(inode->gid),
        .st_rdev = PX_META_LOAD(inode->rdev),
        .st_size = (int64_t)size,
        .st_blksize = PX_PAGE,
        .st_blocks = (int64_t)pages * 8,
        .st_atim = timespec_of(PX_META_LOAD(inode->atime)),
        .st_mtim = timespec_of(PX_META_LOAD(inode->mtime)),
        .st_ctim = timespec_of(PX_META_LOAD(inode->ctime)),
    };
}

/* ---- who asks -------------------------------------------------------------------------------------------------- */

PX_HOT PX_APART bool px_may(const struct px_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid, unsigned want)
{
    bool in_group = ids->gid == gid;

    if (ids->uid == 0)
        return !(want & 1) || S_ISDIR(mode) || (mode & 0111);
    if (ids->uid == uid)
        return (want & ~(mode >> 6) & 7) == 0;
    for (uint32_t i = 0; i < ids->group_count && !in_group; i++)
        in_group = ids->groups[i] == gid;
    return (want & ~(in_group ? mode >> 3 : mode) & 7) == 0;
}
