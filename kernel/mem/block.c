/* Frame blocks: capabilities to physically contiguous pages, of RAM or of a device. */
#include "kernel.h"
#include "port.h"

#define BLOCK_PAGES_MAX 1024u

struct block *block_new(struct zone *zone, uint64_t physical, uint64_t pages, bool device)
{
    struct block *block = object_new(zone, EXO_TYPE_FRAME, sizeof(*block));

    if (!block)
        return NULL;
    block->physical = physical;
    block->pages = pages;
    block->device = device;
    return block;
}

static int64_t insert_block(struct env *env, struct block *block, uint64_t rights)
{
    int64_t handle = cap_insert(env, 0, &block->object, rights, 0);

    object_drop(&block->object); /* the capability holds it now, or nobody does */
    return handle;
}

int64_t k_frame_alloc(struct context *caller, struct capability *zone, uint64_t pages)
{
    struct zone *charged = (struct zone *)zone->object;
    struct block *block;
    uint64_t physical;
    unsigned order = 0;

    if (pages == 0 || pages > BLOCK_PAGES_MAX)
        return -EXO_E_INVAL;
    while ((1ul << order) < pages)
        order++;
    physical = frame_take(charged, order, false);
    if (!physical)
        return -EXO_E_NOMEM;
    for (uint64_t page = pages; page < 1ul << order; page++)
        frame_drop(physical + page * PAGE);
    block = block_new(charged, physical, pages, false);
    if (!block) {
        for (uint64_t page = 0; page < pages; page++)
            frame_drop(physical + page * PAGE);
        return -EXO_E_NOMEM;
    }
    return insert_block(caller->env, block, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_EXEC | EXO_RIGHT_COPY);
}

int64_t k_frame_device(struct context *caller, struct capability *machine, uint64_t physical, uint64_t pages)
{
    struct block *block;

    (void)machine;
    if (physical % PAGE)
        return -EXO_E_ALIGN;
    if (pages == 0 || pages > BLOCK_PAGES_MAX)
        return -EXO_E_INVAL;
    if (physical > PTE_ADDRESS || physical + pages * PAGE > PTE_ADDRESS)
        return -EXO_E_RANGE;
    for (uint64_t page = 0; page < pages; page++)
        if (!frame_may_be_device(physical + page * PAGE))
            return -EXO_E_RANGE;
    block = block_new(caller->env->zone, physical, pages, true);
    if (!block)
        return -EXO_E_NOMEM;
    return insert_block(caller->env, block, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_COPY);
}

int64_t k_frame_address(struct context *caller, struct capability *frame)
{
    (void)caller;
    return (int64_t)((struct block *)frame->object)->physical;
}

void block_free(struct object *object)
{
    struct block *block = (struct block *)object;

    if (!block->device)
        for (uint64_t page = 0; page < block->pages; page++)
            frame_drop(block->physical + page * PAGE);
    object_free(object, sizeof(*block));
}
