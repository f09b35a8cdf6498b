/*
 * Page maps: a file's pages by index. Height 0 is a file of one page whose number is the map; height 1 one block of 4
 * to 1024 numbers; higher, full blocks of blocks, 1024 a level (fsmeta.h: px_region_page). Maps grow and are cut;
 * they lose height only when they are empty.
 */
#include "core.h"

#define SLOTS_FIRST 4u
#define BLOCK_BYTES (PX_MAP_FANOUT * 4u)

uint32_t fs_map_get(const struct px_inode *inode, uint64_t index)
{
    return px_region_page(&fs_region, inode, index);
}

uint64_t fs_map_next(const struct px_inode *inode, uint64_t index)
{
    uint64_t end = px_map_reach(inode->file.height, inode->file.slots);

    while (index < end) {
        uint32_t at = inode->file.map, height = inode->file.height;

        while (at && height > 0) {
            height--;
            at = ((const uint32_t *)fs_at(at))[index >> (10 * height) & (PX_MAP_FANOUT - 1)];
        }
        if (at)
            return index;
        index = ((index >> (10 * height)) + 1) << (10 * height); /* nothing is below that slot */
    }
    return ~0ull;
}

static uint32_t block_new(uint32_t slots)
{
    uint32_t block = fs_block_new(slots * 4);

    if (block)
        memset(fs_at(block), 0, slots * 4);
    return block;
}

/* Height 0 or a small block becomes a block with room for `index` (below 1024). */
static int64_t widen(struct px_inode *inode, uint64_t index)
{
    uint32_t slots = SLOTS_FIRST, block;

    while (slots <= index)
        slots *= 2;
    block = block_new(slots);
    if (!block)
        return -ENOSPC;
    if (inode->file.height == 0) {
        *(uint32_t *)fs_at(block) = inode->file.map;
    } else {
        memcpy(fs_at(block), fs_at(inode->file.map), inode->file.slots * 4);
        fs_block_free(inode->file.map, inode->file.slots * 4);
    }
    inode->file.map = block;
    inode->file.height = 1;
    inode->file.slots = slots;
    return 0;
}

static int64_t heighten(struct px_inode *inode, uint64_t index)
{
    if (inode->file.height == 0 || (inode->file.height == 1 && inode->file.slots < PX_MAP_FANOUT)) {
        int64_t status = widen(inode, index < PX_MAP_FANOUT ? index : PX_MAP_FANOUT - 1);

        if (status < 0)
            return status;
    }
    while (index >= px_map_reach(inode->file.height, inode->file.slots)) {
        uint32_t block = block_new(PX_MAP_FANOUT);

        if (!block)
            return -ENOSPC;
        *(uint32_t *)fs_at(block) = inode->file.map;
        inode->file.map = block;
        inode->file.height++;
    }
    return 0;
}

int64_t fs_map_room(struct px_inode *inode, uint64_t index)
{
    uint32_t block;

    if (index >= px_map_reach(inode->file.height, inode->file.slots)) {
        int64_t status = heighten(inode, index);

        if (status < 0)
            return status;
    }
    block = inode->file.map;
    for (uint32_t height = inode->file.height; height > 1; height--) {
        uint32_t *slot = (uint32_t *)fs_at(block) + ((index >> (10 * (height - 1))) & (PX_MAP_FANOUT - 1));

        if (!*slot) {
            uint32_t below = block_new(PX_MAP_FANOUT);

            if (!below)
                return -ENOSPC;
            *slot = below;
        }
        block = *slot;
    }
    return 0;
}

void fs_map_put(struct px_inode *inode, uint64_t index, uint32_t page)
{
    uint32_t *slot = &inode->file.map;

    for (uint32_t height = inode->file.height; height > 0; height--)
        slot = (uint32_t *)fs_at(*slot) + ((index >> (10 * (height - 1))) & (PX_MAP_FANOUT - 1));
    *slot = page;
    inode->pages++;
    fs_label_pages(inode, 1);
}

struct cut {
    uint64_t first, end;
    struct fs_release release;
    uint32_t pages;
};

/* Cuts below *slot, which stands for the indexes base .. base + 1024^height - 1. At most PX_MAP_HEIGHT_MAX deep. */
static void cut_slot(struct cut *cut, uint32_t *slot, uint32_t height, uint32_t slots, uint64_t base)
{
    uint64_t step = height > 1 ? 1ull << (10 * (height - 1)) : 1;
    uint32_t *block;

    if (!*slot)
        return;
    if (height == 0) {
        fs_release_page(&cut->release, *slot);
        *slot = 0;
        cut->pages++;
        return;
    }
    block = fs_at(*slot);
    for (uint32_t i = cut->first > base ? (uint32_t)((cut->first - base) / step) : 0; i < slots; i++) {
        if (base + i * step >= cut->end)
            break;
        cut_slot(cut, &block[i], height - 1, PX_MAP_FANOUT, base + i * step);
    }
    if (cut->first <= base && cut->end == ~0ull) {
        fs_block_free(*slot, slots * 4);
        *slot = 0;
    }
}

void fs_map_cut(struct px_inode *inode, uint64_t first, uint64_t end)
{
    struct cut cut = {.first = first, .end = end};
    uint32_t slots = inode->file.height == 1 ? inode->file.slots : PX_MAP_FANOUT;

    if (first >= end || first >= px_map_reach(inode->file.height, inode->file.slots))
        return;
    cut_slot(&cut, &inode->file.map, inode->file.height, slots, 0);
    fs_release_end(&cut.release);
    inode->pages -= cut.pages;
    fs_label_pages(inode, -(int64_t)cut.pages);
    if (!inode->file.map)
        inode->file.height = inode->file.slots = 0;
}

static void each_below(uint32_t at, uint32_t height, uint32_t slots, void (*visit)(void *context, uint32_t page),
                       void *context)
{
    const uint32_t *block;

    if (!at)
        return;
    if (height == 0) {
        visit(context, at);
        return;
    }
    block = fs_at(at);
    for (uint32_t i = 0; i < slots; i++)
        each_below(block[i], height - 1, PX_MAP_FANOUT, visit, context);
}

void fs_map_each(const struct px_inode *inode, void (*visit)(void *context, uint32_t page), void *context)
{
    each_below(inode->file.map, inode->file.height, inode->file.height == 1 ? inode->file.slots : PX_MAP_FANOUT,
               visit, context);
}
