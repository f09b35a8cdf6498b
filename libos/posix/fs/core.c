/* The file of a core dump: made anew, and never through a link. */
#include "entry/core.h"

#include "fd/fd.h"
#include "files.h"

#define NAME "core" /* /proc/sys/kernel/core_pattern */

int64_t px_core_open(struct px_ofd **ofd)
{
    struct px_place place;
    struct px_fs_made made;
    int64_t status = px_find(AT_FDCWD, NAME, PX_WALK_NAME | PX_WALK_NOFOLLOW | PX_WALK_STAY, NULL, &place);

    if (status == 0 && place.directory && place.node.kind == PX_NODE_FS)
        (void)!px_fs_names(PX_FS_UNLINK, 0, &place, NULL, 0); /* whether that was possible is seen next */
    status = px_find(AT_FDCWD, NAME, PX_WALK_PARENT | PX_WALK_NOFOLLOW | PX_WALK_STAY, NULL, &place);
    if (status < 0)
        return status;
    if (place.node.kind || !place.directory)
        return -EEXIST;
    status = px_fs_create(&place, S_IFREG | (0600 & ~px_umask), 0, NULL, 0, &made);
    return status < 0 ? status : px_file_made(&made, O_WRONLY | O_LARGEFILE, ofd);
}

/* What is over the limit is not written, nor anything behind it. */
static bool may_write(struct px_core *core, uint64_t bytes)
{
    core->full = core->full || bytes > core->limit - core->written;
    if (!core->full)
        core->written += bytes;
    return !core->full;
}

static void flush(struct px_core *core)
{
    if (core->count && may_write(core, core->count)) {
        const struct px_node *node = &core->ofd->node;

        memcpy(px_msg(), core->held, core->count);
        core->full = px_file_may_grow(node, core->place) < 0 ||
                     px_fs_call(PX_FS_WRITE, PX_FS_NODE(node->ino, node->gen), core->place - core->count, core->count,
                                core->ofd->word[PX_WORD_TOKEN], NULL) < 0;
    }
    core->count = 0;
}

void px_core_put(struct px_core *core, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t part = bytes - done < PX_CORE_HELD - core->count ? bytes - done : PX_CORE_HELD - core->count;

        if (core->ofd) {
            memcpy(core->held + core->count, (const uint8_t *)from + done, part);
            core->count += (unsigned)part;
        }
        core->place += part;
        done += part;
        if (core->count == PX_CORE_HELD)
            flush(core);
    }
}

void px_core_skip(struct px_core *core, uint64_t bytes)
{
    if (core->ofd)
        flush(core);
    core->place += bytes;
}

void px_core_put_program(struct px_core *core, uint64_t va, uint64_t bytes)
{
    uint64_t done = 0;

    flush(core);
    while (done < bytes && !core->full) {
        uint64_t place = core->place + done, left = bytes - done, most = core->limit - core->written;
        int64_t wrote;

        if (most < PX_PAGE) { /* whole pages */
            core->full = true;
            break;
        }
        wrote = px_ofd_ops(core->ofd)->write(core->ofd, va + done, left < most ? left : most & ~(PX_PAGE - 1), &place);
        if (wrote == -EFAULT)
            wrote = (int64_t)(left < PX_PAGE ? left : PX_PAGE); /* a page that cannot be read */
        else if (wrote > 0)
            core->written += (uint64_t)wrote;
        core->full = core->full || wrote <= 0;
        if (wrote > 0)
            done += (uint64_t)wrote;
    }
    core->place += bytes;
}

/* The file reaches to the end of what was left out there. */
void px_core_close(struct px_core *core)
{
    const struct px_inode *inode;

    flush(core);
    inode = px_held_inode(&core->ofd->node);
    if (!core->full && inode && px_inode_size(inode) < core->place)
        (void)!px_file_truncate(&core->ofd->node, core->place, core->ofd->word[PX_WORD_TOKEN]);
    px_file_let_go(core->ofd);
    px_ofd_abandon(core->ofd);
}
