/* Inodes: made, found by the node that a client names, freed with their pages and targets. */
#include "core.h"

FS_HOT uint32_t fs_inode_new(uint32_t mode, uint32_t uid, uint32_t gid, uint64_t rdev)
{
    uint32_t ino = fs_meta()->inodes < fs_meta()->inodes_max ? fs_inode_slot_new() : 0;
    struct px_inode *inode;
    uint32_t gen;
    int64_t now;

    if (!ino)
        return 0;
    inode = fs_inode(ino);
    gen = inode->gen;
    now = os_now();
    memset(inode, 0, sizeof *inode);
    inode->gen = gen;
    inode->mode = mode;
    inode->uid = uid;
    inode->gid = gid;
    inode->rdev = (uint32_t)rdev;
    inode->atime = inode->mtime = inode->ctime = inode->btime = now;
    if (S_ISDIR(mode)) {
        inode->size = FS_PAGE;
        inode->directory.next_cookie = PX_COOKIE_FIRST;
    }
    fs_meta()->inodes++;
    return ino;
}

void fs_xattr_forget(struct px_inode *inode)
{
    struct fs_release release = {0};

    if (!inode->extended)
        return;
    fs_release_page(&release, inode->extended);
    fs_release_end(&release);
    fs_label_pages(inode, -1);
    inode->extended = 0;
}

FS_HOT FS_APART void fs_inode_free(uint32_t ino)
{
    struct px_inode *inode = fs_inode(ino);

    if (inode->flags & PX_INODE_WATCHED)
        fs_watch_gone(ino);
    fs_tail_close(inode);
    fs_xattr_forget(inode);
    if (inode->name && inode->flags & PX_INODE_ORPHAN)
        fs_name_free(fs_at(inode->name));
    if (S_ISFIFO(inode->mode))
        fs_fifo_forget(ino);
    if (inode->flags & PX_INODE_MQUEUE)
        fs_mq_forget(ino);
    if (S_ISREG(inode->mode) || S_ISFIFO(inode->mode)) {
        fs_map_cut(inode, 0, ~0ull);
        fs_reserved_forget(ino);
    } else if (S_ISLNK(inode->mode) && inode->size >= PX_LINK_INLINE) {
        fs_block_free(inode->link.at, (uint32_t)inode->size);
    }
    fs_label_forget(inode);
    fs_inode_slot_free(ino);
    fs_meta()->inodes--;
}

FS_HOT struct px_inode *fs_node_growing(uint64_t node)
{
    struct px_inode *inode;

    if (!fs_is_inode(PX_FS_INO(node)))
        return NULL;
    inode = fs_inode(PX_FS_INO(node));
    return inode->mode != 0 && inode->gen == PX_FS_GEN(node) ? inode : NULL;
}

FS_HOT struct px_inode *fs_node(uint64_t node)
{
    struct px_inode *inode = fs_node_growing(node);

    if (inode && inode->size & PX_SIZE_OPEN)
        fs_tail_settle(inode, true);
    return inode;
}

FS_APART int64_t fs_link_set(struct px_inode *inode, const char *target, uint32_t bytes)
{
    char *to = inode->target;

    if (bytes >= PX_LINK_INLINE) {
        uint32_t at = bytes <= FS_PAGE ? fs_block_new(bytes) : 0;

        if (!at)
            return -ENOSPC;
        inode->link.at = at;
        to = fs_at(at);
    }
    memcpy(to, target, bytes);
    inode->size = bytes;
    return 0;
}

const char *fs_link_text(const struct px_inode *inode)
{
    return inode->size < PX_LINK_INLINE ? inode->target : fs_at(inode->link.at);
}

FS_HOT void fs_touch(struct px_inode *inode)
{
    inode->mtime = inode->ctime = os_now();
}
