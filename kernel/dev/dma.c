/*
 * Windows of frames for devices that reach memory by themselves. A window holds its block, so nobody else gets the frames while a device may still
 * write to them, whatever becomes of the capabilities to the block or of the driver. It does not keep a device within them: there is no IOMMU code.
 */
#include "kernel.h"

int64_t k_dma_bind(struct context *caller, struct capability *machine, struct capability *frame)
{
    struct block *block = (struct block *)frame->object;
    struct dma *dma;
    int64_t handle;

    if (block->device)
        return -EXO_E_INVAL;
    if (block->ready != block->pages)
        return -EXO_E_AGAIN;
    dma = object_new(caller->env->zone, EXO_TYPE_DMA, sizeof(*dma));
    if (!dma)
        return -EXO_E_NOMEM;
    dma->block = block;
    object_hold(&block->object); /* which also keeps it from being split or merged */
    handle = cap_insert_below(caller->env, machine, &dma->object, EXO_RIGHTS_ALL);
    object_drop(&dma->object);
    return handle;
}

void dma_free(struct object *object)
{
    object_drop(&((struct dma *)object)->block->object);
    object_free(object, sizeof(struct dma));
}

int64_t k_dma_info(struct context *caller, struct capability *dma, uint64_t out)
{
    const struct block *block = ((struct dma *)dma->object)->block;
    struct exo_dma_info text = {block->physical, block->pages};

    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}
