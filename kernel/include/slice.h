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
    /* sched/task.c: edges to those that it waits for, and from those that wait for it */
    struct list inputs, outputs;
    uint8_t input_count, output_count;
    bool done;
    uint64_t searched; /* number of the last search that came here; */
    struct slice *via, *todo; /* from which; what it goes on with */
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
void slice_let_go(struct slice *slice); /* servers that work on it go on on its zone's share */
/* sched/task.c */
void task_end(struct slice *slice);
/* sched/reserve.c: the part of a slice that has a reservation */
struct slice_reservation {
    struct reservation reservation;
    struct timer timer; /* when the budget will be used up; while it is stopped, when the next period begins */
    struct slice *slice;
    uint64_t parts; /* of 2^28 */
    bool stopped_listed;
    struct slice_reservation *next_stopped;
};
extern struct slice_reservation *reserve_stopped; /* whose servers have to be let go */
void reserve_let_go(void);
void reserve_begins(struct reservation *reservation); /* somebody runs on it now */
void reserve_timer(struct timer *timer);
void reserve_cancel(struct slice *slice);

#endif
