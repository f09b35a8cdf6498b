/*
 * Tails: a file that this process writes at its end again and again grows without a call of fs for each write. Pages beyond the end are granted ahead, as
 * for every writer (window.c); of the length fs gives a page to share (PX_FS_TAIL). It ends when anybody asks fs about the file, and begins anew after some
 * writes more.
 */
#include "window.h"

#include "../mm/mm.h"

#define TAILS 4u
#define BEGIN_AFTER 5u /* writes at the end in a row: a tail costs as much as two or three of them */

static struct tail {
    uint32_t ino, gen; /* ino 0: none */
    uint64_t va;       /* 0: no address yet */
} tails[TAILS];
static unsigned next_tail;
static struct {
    uint32_t ino, gen, times;
} growing; /* the file that was written at its end last */

void px_tail_fork_child(void)
{
    for (unsigned i = 0; i < TAILS; i++)
        tails[i].ino = 0;
}

/* The length in this process's tail of the file; PX_TAIL_CLOSED: it has none. */
static uint64_t length_of(uint32_t ino, uint32_t gen, struct tail **tail)
{
    for (unsigned i = 0; i < TAILS; i++) {
        uint64_t length = PX_TAIL_CLOSED;

        if (tails[i].ino != ino || tails[i].gen != gen)
            continue;
        *tail = &tails[i];
        if (px_raw_swap_u64((void *)tails[i].va, &length, PX_TAIL_CLOSED) > 0) /* reads it */
            return length;
        tails[i].ino = growing.ino = 0;
    }
    return PX_TAIL_CLOSED;
}

uint64_t px_size_settle(const struct px_inode *inode)
{
    uint32_t ino = (uint32_t)((uint64_t)((const uint8_t *)inode - px_meta_base) / PX_INODE_BYTES);
    uint64_t size;

    for (unsigned tries = 0; (size = PX_META_LOAD(inode->size)) & PX_SIZE_OPEN && tries < 8; tries++)
        (void)!px_fs_call(PX_FS_SETTLE, PX_FS_NODE(ino, PX_META_LOAD(inode->gen)), 0, 0, 0, NULL);
    return size & ~PX_SIZE_OPEN;
}

uint64_t px_size_ask(const struct px_inode *inode)
{
    uint32_t ino = (uint32_t)((uint64_t)((const uint8_t *)inode - px_meta_base) / PX_INODE_BYTES);
    struct tail *tail;
    uint64_t length = length_of(ino, PX_META_LOAD(inode->gen), &tail);

    return length != PX_TAIL_CLOSED ? length : px_size_settle(inode);
}

/* Asks for a tail, if the file was written at its end often enough. */
static bool begin(const struct px_file *file)
{
    struct tail *tail = &tails[next_tail];

    if (growing.ino != file->ino || growing.gen != file->gen) {
        growing.ino = file->ino;
        growing.gen = file->gen;
        growing.times = 0;
    }
    if (++growing.times < BEGIN_AFTER)
        return false;
    growing.times = 0; /* where there cannot be one it is not asked for each time */
    for (unsigned i = 0; i < TAILS; i++) { /* an earlier one of the file */
        if (tails[i].ino == file->ino && tails[i].gen == file->gen)
            tails[i].ino = 0;
    }
    if (!tail->va && !(tail->va = px_window_reserve(1)))
        return false;
    tail->ino = 0;
    if (px_fs_call(PX_FS_TAIL, PX_FS_NODE(file->ino, file->gen), tail->va, 0, file->token, NULL) < 0)
        return false;
    tail->ino = file->ino;
    tail->gen = file->gen;
    next_tail = (next_tail + 1) % TAILS;
    return true;
}

uint64_t px_readable(px_user from, uint64_t bytes)
{
    uint64_t at = 0;
    uint8_t byte;

    while (at < bytes && px_copy_in(&byte, from + at, 1) == 0)
        at += PX_PAGE - (from + at) % PX_PAGE;
    return at < bytes ? at : bytes;
}

int64_t px_tail_write(const struct px_file *file, const struct px_inode *inode, px_user from, uint64_t bytes, uint64_t *offset, bool append)
{
    struct tail *tail;
    uint64_t length = PX_TAIL_CLOSED, in_page, end;
    uint8_t *at;
    int64_t pages;

    if (PX_META_LOAD(inode->size) & PX_SIZE_OPEN || begin(file))
        length = length_of(file->ino, file->gen, &tail);
    if (length == PX_TAIL_CLOSED)
        return 0;
    if (!append && *offset != length)
        return 0;
    in_page = length % PX_PAGE;
    pages = px_window_at(file, length / PX_PAGE, PX_PAGES_UP(in_page + bytes), PX_USE_WRITE, &at);
    if (pages <= 0)
        return 0;
    if (append) {
        /* First its place in the file, all of it in one step: after somebody else's append these bytes would lie in his, or his between them. */
        end = length + px_readable(from, bytes);
        if (end == length)
            return -EFAULT;
        if (in_page + (end - length) > (uint64_t)pages * PX_PAGE)
            return 0;
        if (px_raw_swap_u64((void *)tail->va, &length, end) != 0)
            return 0;
        *offset = length;
        return (int64_t)px_copy_in_part(at + in_page, from, end - length);
    }
    if (bytes > (uint64_t)pages * PX_PAGE - in_page)
        bytes = (uint64_t)pages * PX_PAGE - in_page;
    end = length + px_copy_in_part(at + in_page, from, bytes);
    if (end == length)
        return -EFAULT;
    return px_raw_swap_u64((void *)tail->va, &length, end) == 0 ? (int64_t)(end - length) : 0;
}
