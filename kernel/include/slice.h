/*
 * Slices, and whose share of the processor a context has. A slice is kept by its capabilities (kernel/sched/slice.c); contexts that draw on it only
 * know it, and it knows them.
 */
#ifndef SLICE_H
#define SLICE_H
#include "kernel.h"

/* Part of a zone's share that can be held and given: sched/slice.c. */
struct slice {
    struct object object; /* its zone's share is the one above */
    struct share share;
    struct list bound, serving; /* contexts that draw on it; servers that work for such */
    uint32_t bound_count, serving_count;
};
_Static_assert(sizeof(struct slice) <= 256, "a slice is a small block");
/* The slice that the context draws on now; NULL: none. */
static inline struct slice *slice_of(const struct context *context)
{
    return context->sponsor ? context->serves_on : context->slice;
}
static inline struct share *share_of(const struct context *context)
{
    struct slice *slice = slice_of(context);

    return slice ? &slice->share : &gas_payer(context)->zone->share;
}
void slice_serve(struct context *server, struct slice *slice); /* NULL: none. The server is in no ready queue */
void slice_unbind(struct context *context);
void slice_free(struct object *object);

#endif
