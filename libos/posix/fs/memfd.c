/* memfd_create, and seals: files without a name in any directory, which fs keeps as it keeps those that have lost theirs. */
#include "files.h"
#include "px_calls.h"

#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#define MFD_HUGETLB 4u
#define NAME_PREFIX "memfd:"
#define RACES_MAX 4u

bool px_memfd_sealed(const struct px_node *node)
{
    const struct px_inode *inode = node->kind == PX_NODE_FS ? px_held_inode(node) : NULL;

    return inode && PX_META_LOAD(inode->flags) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) << PX_INODE_SEALS_SHIFT;
}

int64_t px_memfd_seals(struct px_ofd *ofd, bool add, uint64_t seals)
{
    const struct px_inode *inode = ofd->kind == PX_OFD_FILE ? px_held_inode(&ofd->node) : NULL;

    if (!inode)
        return -EINVAL;
    if (!add)
        return PX_INODE_SEALS(PX_META_LOAD(inode->flags));
    if ((ofd->flags & O_ACCMODE) == O_RDONLY)
        return -EPERM;
    if ((uint32_t)seals & ~F_SEALS)
        return -EINVAL;
    if (PX_INODE_SEALS(PX_META_LOAD(inode->flags)) & F_SEAL_SEAL)
        return -EPERM;
    if (seals & F_SEAL_WRITE && px_memory_writes(&ofd->node))
        return -EBUSY;
    return px_fs_call(PX_FS_SEAL, PX_FS_NODE(ofd->node.ino, ofd->node.gen), (uint32_t)seals, 0, ofd->word[PX_WORD_TOKEN], NULL);
}

PX_SYS(memfd_create)
{
    struct px_place place = {.directory = PX_FS_NODE(px_root.ino, px_root.gen)};
    char name[NAME_MAX + 1 - sizeof NAME_PREFIX + 1];
    struct px_fs_made made;
    struct px_ofd *ofd;
    int64_t status;

    if (b & MFD_HUGETLB || (uint32_t)b & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return b & MFD_HUGETLB ? -ENOSYS : -EINVAL;
    status = px_copy_string(name, a, sizeof name);
    if (status < 0)
        return status == -ENAMETOOLONG ? -EINVAL : status;
    place.length = (uint8_t)(sizeof NAME_PREFIX - 1 + (size_t)status);
    memcpy(place.name, NAME_PREFIX, sizeof NAME_PREFIX - 1);
    memcpy(place.name + sizeof NAME_PREFIX - 1, name, (size_t)status);
    for (unsigned races = 0; races < RACES_MAX; races++) { /* a sweep may come before this process has said that it holds the file */
        status = px_fs_create(&place, S_IFREG | 0777, 0, NULL, PX_CREATE_MEMFD | (b & MFD_ALLOW_SEALING ? PX_CREATE_SEALABLE : 0), &made);
        if (status == 0)
            status = px_file_made(&made, O_RDWR | O_LARGEFILE, &ofd);
        if (status != -ENOENT)
            break;
    }
    if (status < 0)
        return status;
    status = px_fd_install(ofd, 0, b & MFD_CLOEXEC);
    if (status < 0) {
        px_file_let_go(ofd);
        px_ofd_abandon(ofd);
    }
    return status;
}
