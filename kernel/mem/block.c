/*
 * Frame blocks: capabilities to physically contiguous pages, of RAM or of a device. Who asks names the frames, or a colour, or neither. A large block
 * is zeroed in pieces, by the holder's calls, and cannot be mapped beyond what is ready: no page comes to a new holder with an old one's data.
 */
#include "kernel.h"
#include "port.h"

#define BLOCK_PAGES_MAX (1ul << 18) /* 1 GiB */
#define SMALL_PAGES_MAX 1024u       /* zeroed, or looked at, at one entry */
#define COLOURS_MAX 65536u

struct block *block_new(struct zone *zone, uint64_t physical, uint64_t pages, bool device)
{
    struct block *block = object_new(zone, EXO_TYPE_FRAME, sizeof(*block));

    if (!block)
        return NULL;
    list_init(&block->link);
    block->physical = physical;
    block->pages = pages;
    block->ready = pages;
    block->device = device;
    return block;
}

static int64_t insert_block(struct env *env, const struct capability *above, struct block *block, uint64_t rights)
{
    int64_t handle = cap_insert_below(env, above, &block->object, rights);

    object_drop(&block->object); /* the capability holds it now, or nobody does */
    return handle;
}

/* Which frames: the number of the first. */
static int64_t choose(uint64_t pages, uint64_t how, uint64_t value, uint64_t *first)
{
    uint64_t colour = value & 0xffffffff, colours = value >> 32;

    switch (how) {
    case EXO_FRAME_ANYWHERE: return frame_find(pages, first) ? 0 : -EXO_E_NOMEM;
    case EXO_FRAME_AT:
        *first = value / PAGE;
        if (value % PAGE)
            return -EXO_E_ALIGN;
        return value > PTE_ADDRESS ? -EXO_E_RANGE : frame_range_free(*first, *first + pages);
    case EXO_FRAME_COLOUR:
        if (colours == 0 || colours > COLOURS_MAX || colour >= colours)
            return -EXO_E_INVAL;
        return frame_find_colour(pages, colour, colours, first) ? 0 : -EXO_E_NOMEM;
    default: return -EXO_E_INVAL;
    }
}

/* A block of which nothing is ready; NULL and the error. */
static struct block *claim(struct zone *zone, uint64_t pages, uint64_t how, uint64_t value, int64_t *error)
{
    struct block *block;
    uint64_t first;

    *error = -EXO_E_INVAL;
    if (pages == 0 || pages > BLOCK_PAGES_MAX)
        return NULL;
    work_done(pages); /* which may all be free blocks of their own */
    *error = choose(pages, how, value, &first);
    if (*error < 0)
        return NULL;
    *error = -EXO_E_NOMEM;
    block = block_new(zone, first * PAGE, pages, false); /* which may have taken one of the frames */
    if (!block)
        return NULL;
    block->ready = 0;
    *error = choose(pages, how, value, &first);
    if (*error == 0 && !zone_charge(zone, pages))
        *error = -EXO_E_NOMEM;
    if (*error < 0) {
        object_free(&block->object, sizeof(*block));
        return NULL;
    }
    block->physical = first * PAGE;
    frame_carve(first, first + pages);
    return block;
}

static void prepare_some(struct block *block)
{
    for (unsigned count = 0; count < SMALL_PAGES_MAX && block->ready < block->pages; count++)
        frame_prepare(block->physical / PAGE + block->ready++, block->object.zone);
}

static int64_t allocate(struct context *caller, const struct capability *zone, uint64_t pages, uint64_t how, uint64_t value)
{
    int64_t error;
    struct block *block = claim((struct zone *)zone->object, pages, how, value, &error);

    if (!block)
        return error;
    prepare_some(block);
    return insert_block(caller->env, zone, block, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_EXEC | EXO_RIGHT_COPY);
}

int64_t k_frame_alloc(struct context *caller, struct capability *zone, uint64_t pages)
{
    if (pages > SMALL_PAGES_MAX)
        return -EXO_E_INVAL;
    return allocate(caller, zone, pages, EXO_FRAME_ANYWHERE, 0);
}

int64_t k_frame_claim(struct context *caller, struct capability *zone, uint64_t pages, uint64_t how, uint64_t value)
{
    return allocate(caller, zone, pages, how, value);
}

int64_t k_frame_prepare(struct context *caller, struct capability *frame)
{
    struct block *block = (struct block *)frame->object;

    (void)caller;
    work_done(block->pages - block->ready < SMALL_PAGES_MAX ? block->pages - block->ready : SMALL_PAGES_MAX);
    prepare_some(block);
    return (int64_t)(block->pages - block->ready);
}

int64_t k_frame_device(struct context *caller, struct capability *machine, uint64_t physical, uint64_t pages)
{
    struct block *block;

    if (physical % PAGE)
        return -EXO_E_ALIGN;
    if (pages == 0 || pages > SMALL_PAGES_MAX)
        return -EXO_E_INVAL;
    if (physical > PTE_ADDRESS || physical + pages * PAGE > PTE_ADDRESS)
        return -EXO_E_RANGE;
    work_done(pages);
    for (uint64_t page = 0; page < pages; page++)
        if (!frame_may_be_device(physical + page * PAGE))
            return -EXO_E_RANGE;
    block = block_new(caller->env->zone, physical, pages, true);
    if (!block)
        return -EXO_E_NOMEM;
    return insert_block(caller->env, machine, block, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_COPY);
}

int64_t k_frame_address(struct context *caller, struct capability *frame)
{
    (void)caller;
    return (int64_t)((struct block *)frame->object)->physical;
}

int64_t k_frame_info(struct context *caller, struct capability *frame, uint64_t out)
{
    const struct block *block = (const struct block *)frame->object;
    struct exo_frame_info text = {block->physical, block->pages, block->ready, block->device};

    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}

/* The capability for the second half stands beside the first one's in the derivation tree, with its rights and its time. */
static int64_t insert_half(struct context *caller, const struct capability *like, struct block *block)
{
    struct cap_make make = {&block->object, like->node->parent, like->rights, 0, like->node->expires_ns};
    uint64_t index = 0;
    int64_t status;
    struct capability *slot;

    if (make.parent && !node_may_derive(make.parent))
        return -EXO_E_BUSY;
    slot = cap_empty_slot(caller->env, &index, &status);
    if (!slot)
        return status;
    if (!cap_fill(caller->env, slot, (uint32_t)index, (uint32_t)(slot->key >> 16), &make))
        return -EXO_E_NOMEM;
    return (int64_t)cap_handle(slot);
}

int64_t k_frame_split(struct context *caller, struct capability *frame, uint64_t pages)
{
    struct block *block = (struct block *)frame->object, *rest;
    int64_t handle;

    if (pages == 0 || pages >= block->pages)
        return -EXO_E_INVAL;
    if (block->object.references != 1)
        return -EXO_E_BUSY;
    rest = block_new(block->object.zone, block->physical + pages * PAGE, block->pages - pages, block->device);
    if (!rest)
        return -EXO_E_NOMEM;
    handle = insert_half(caller, frame, rest);
    if (handle < 0) {
        object_free(&rest->object, sizeof(*rest));
        return handle;
    }
    object_drop(&rest->object);
    rest->ready = block->ready > pages ? block->ready - pages : 0;
    block->ready -= rest->ready;
    block->pages = pages;
    return handle;
}

int64_t k_frame_merge(struct context *caller, struct capability *first, struct capability *second)
{
    struct block *block = (struct block *)first->object, *rest = (struct block *)second->object;

    if (block == rest || block->physical + block->pages * PAGE != rest->physical || block->device != rest->device ||
        block->object.zone != rest->object.zone || block->pages + rest->pages > BLOCK_PAGES_MAX)
        return -EXO_E_INVAL;
    if (first->rights != second->rights || first->node->parent != second->node->parent ||
        first->node->expires_ns != second->node->expires_ns)
        return -EXO_E_RIGHTS;
    if (block->object.references != 1 || rest->object.references != 1)
        return -EXO_E_BUSY;
    if (block->ready != block->pages || rest->ready != rest->pages)
        return -EXO_E_AGAIN;
    block->pages += rest->pages;
    block->ready += rest->pages;
    rest->pages = rest->ready = 0; /* its frames are the first block's now */
    cap_clear(caller->env, second);
    return 0;
}

bool block_free_some(struct block *block, unsigned *most)
{
    struct zone *zone = block->object.zone;
    uint64_t first = block->physical / PAGE, unready = block->pages - block->ready;

    if (unready > 0) {
        frame_return(first + block->ready, first + block->pages);
        zone_uncharge(zone, unready);
        block->pages = block->ready;
    }
    for (; !block->device && block->pages > 0; --*most) {
        if (*most == 0)
            return false;
        frame_drop((first + --block->pages) * PAGE);
        block->ready = block->pages;
    }
    list_remove(&block->link);
    object_free(&block->object, sizeof(*block));
    return true;
}
