/*
 * Seals of memfds: promises that a file will not shrink, grow or be written any more. Its flags have them, so that every process sees them. A file that
 * was not made to be sealed has the seal that says so.
 */
#include "core.h"

unsigned fs_seals(const struct px_inode *inode)
{
    return PX_INODE_SEALS(inode->flags);
}

int64_t fs_seal_check(const struct px_inode *inode, bool writes, uint64_t size)
{
    unsigned seals = fs_seals(inode);

    if (writes && seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    return (size > inode->size && seals & F_SEAL_GROW) || (size < inode->size && seals & F_SEAL_SHRINK) ? -EPERM : 0;
}

int64_t fs_renew_pages(struct px_inode *inode)
{
    uint64_t pages = (inode->size + FS_PAGE - 1) / FS_PAGE;

    inode->version++;
    for (uint64_t index = fs_map_next(inode, 0); index < pages; index = fs_map_next(inode, index + 1)) {
        uint32_t old = fs_map_get(inode, index), page;
        uint64_t got;

        page = fs_data_take(old, 1, &got);
        if (!page)
            return -ENOMEM;
        memcpy(fs_page(page), fs_page(old), FS_PAGE);
        fs_map_cut(inode, index, index + 1);
        fs_map_put(inode, index, page);
    }
    return 0;
}

int64_t fs_seal(const struct fs_caller *caller, uint64_t node, unsigned seals, uint64_t token)
{
    struct px_inode *inode = fs_node(node);
    unsigned before;

    if (!inode)
        return -ESTALE;
    if (!S_ISREG(inode->mode) || seals & ~F_SEALS)
        return -EINVAL;
    before = fs_seals(inode);
    if (!fs_allowed(caller, inode, PX_FS_INO(node), 2, token) || before & F_SEAL_SEAL)
        return -EPERM;
    if (seals & ~before & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
        int64_t status = fs_renew_pages(inode);

        if (status < 0)
            return status;
    }
    inode->flags |= PX_INODE_SEALABLE | seals << PX_INODE_SEALS_SHIFT;
    return 0;
}
