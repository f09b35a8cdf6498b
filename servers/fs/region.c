/*
 * The metadata region: pages in use grow from the start; a page holds inodes, or blocks of one size, or is part of
 * something larger. What is free is chained through its first word. Inode pages stay inode pages, so that a
 * generation number once given to a process never meets other data in that place.
 */
#include "core.h"

#define GROW_PAGES 16u
#define CLASSES 9u /* 16 .. 4096 bytes */
#define CLASS_MIN_SHIFT 4u

FS_HOT_DATA struct px_region fs_region;

static uint64_t pages_max;
FS_HOT_DATA static uint32_t next_page;           /* first page never used */
FS_HOT_DATA static uint32_t free_block[CLASSES]; /* offset of the first free block */
FS_HOT_DATA static uint32_t free_inode;          /* number of the first free slot */
__attribute__((section(".data.hot_last"))) static uint64_t inode_pages[(PX_META_PAGES_MAX + 63) / 64]; /* a bit a page */

bool fs_region_start(uint8_t *base, uint64_t most, uint32_t id)
{
    fs_region.base = base;
    fs_region.bytes = 0;
    pages_max = most < PX_META_PAGES_MAX ? most : PX_META_PAGES_MAX;
    next_page = 1;
    free_inode = 0;
    memset(free_block, 0, sizeof free_block);
    memset(inode_pages, 0, sizeof inode_pages);
    if (pages_max < GROW_PAGES || !os_region_grow(0, GROW_PAGES))
        return false;
    fs_region.bytes = GROW_PAGES * FS_PAGE;
    fs_meta()->version = PX_META_VERSION;
    fs_meta()->pages = GROW_PAGES;
    fs_meta()->inodes_max = (uint32_t)(pages_max * 8);
    fs_meta()->id = id;
    fs_meta()->paths = (uint64_t)id << 32;
    return true;
}

/* Partner of px_meta_begin and px_meta_end in the libOS: a reader that sees any change sees an odd or another number.
 */
FS_HOT void fs_change_begin(void)
{
    __atomic_store_n(&fs_meta()->seq, fs_meta()->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

FS_HOT void fs_change_end(void)
{
    __atomic_store_n(&fs_meta()->seq, fs_meta()->seq + 1, __ATOMIC_SEQ_CST);
}

/* Maps pages so that `last` more can be used after next_page. */
static bool grow(uint32_t pages)
{
    uint64_t have = fs_region.bytes / FS_PAGE, want = next_page + pages, step = GROW_PAGES;

    if (want <= have)
        return true;
    if (want - have > step)
        step = want - have;
    if (step > pages_max - have)
        step = pages_max - have;
    if (want > have + step)
        return false;
    if (!os_region_grow(have, step)) {
        step = want - have; /* perhaps just what is needed */
        if (!os_region_grow(have, step))
            return false;
    }
    fs_region.bytes += step * FS_PAGE;
    fs_meta()->pages = (uint32_t)(have + step);
    return true;
}

FS_HOT static uint32_t class_of(uint32_t bytes)
{
    uint32_t class = 0;

    while ((1u << (class + CLASS_MIN_SHIFT)) < bytes)
        class ++;
    return class;
}

FS_APART uint32_t fs_pages_new(uint32_t pages)
{
    uint32_t offset;

    if (pages == 1 && free_block[CLASSES - 1])
        return fs_block_new(FS_PAGE);
    if (!grow(pages))
        return 0;
    offset = next_page * (uint32_t)FS_PAGE;
    next_page += pages;
    return offset;
}

void fs_pages_free(uint32_t offset, uint32_t pages)
{
    for (uint32_t i = 0; i < pages; i++)
        fs_block_free(offset + i * (uint32_t)FS_PAGE, FS_PAGE);
}

FS_APART static bool more_blocks(uint32_t class)
{
    uint32_t page = fs_pages_new(1), size = 1u << (class + CLASS_MIN_SHIFT);

    if (!page)
        return false;
    for (uint32_t at = (uint32_t)FS_PAGE; at > 0; at -= size)
        fs_block_free(page + at - size, size);
    return true;
}

FS_HOT uint32_t fs_block_new(uint32_t bytes)
{
    uint32_t class = class_of(bytes), offset;

    if (bytes > FS_PAGE || (!free_block[class] && !more_blocks(class)))
        return 0;
    offset = free_block[class];
    free_block[class] = *(uint32_t *)fs_at(offset);
    return offset;
}

FS_HOT void fs_block_free(uint32_t offset, uint32_t bytes)
{
    uint32_t class = class_of(bytes);

    *(uint32_t *)fs_at(offset) = free_block[class];
    free_block[class] = offset;
}

/* A free slot has mode 0; the next free one's number is in `name`. The generation stays. */
FS_APART static bool more_inodes(void)
{
    uint32_t page = fs_pages_new(1);

    if (!page)
        return false;
    memset(fs_at(page), 0, FS_PAGE);
    inode_pages[page / FS_PAGE / 64] |= 1ull << (page / FS_PAGE % 64);
    for (uint32_t i = FS_PAGE / PX_INODE_BYTES; i > 0; i--)
        fs_inode_slot_free(page / PX_INODE_BYTES + i - 1);
    return true;
}

FS_HOT uint32_t fs_inode_slot_new(void)
{
    uint32_t ino;

    if (!free_inode && !more_inodes())
        return 0;
    ino = free_inode;
    free_inode = fs_inode(ino)->name;
    return ino;
}

FS_HOT void fs_inode_slot_free(uint32_t ino)
{
    struct px_inode *inode = fs_inode(ino);

    inode->mode = 0;
    inode->gen++;
    inode->name = free_inode;
    free_inode = ino;
}

FS_HOT bool fs_is_inode(uint32_t ino)
{
    uint64_t page = (uint64_t)ino * PX_INODE_BYTES / FS_PAGE;

    return page < next_page && (inode_pages[page / 64] >> (page % 64) & 1);
}

uint32_t fs_inode_after(uint32_t ino)
{
    const uint32_t each = FS_PAGE / PX_INODE_BYTES;

    for (ino++; ino < next_page * each; ino++) {
        if (!fs_is_inode(ino))
            ino = (ino / each + 1) * each - 1;
        else if (fs_inode(ino)->mode)
            return ino;
    }
    return 0;
}
