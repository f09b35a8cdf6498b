/*
 * Slices: parts of a zone's share of the processor as objects, which can be held, given and asked back like others. A slice is a share of its own beside
 * the zone's contexts and the zones below. Contexts that are bound to it draw on it instead of their zone's share, and so do servers that work for
 * them. They do not hold it: when its last capability goes they draw on their zones' shares again, and run on.
 */
#include "policy.h"
#include "port.h"
#include "slice.h"

int64_t k_slice_make(struct context *caller, struct capability *capability, uint64_t weight)
{
    struct zone *zone = (struct zone *)capability->object;
    struct slice *slice;
    int64_t handle;

    if (weight == 0 || weight > EXO_ZONE_WEIGHT_MAX)
        return -EXO_E_INVAL;
    if (zone->below.children >= zone->below.policy->most)
        return -EXO_E_LIMIT;
    slice = object_new(zone, EXO_TYPE_SLICE, sizeof(*slice));
    if (!slice)
        return -EXO_E_NOMEM;
    list_init(&slice->bound);
    list_init(&slice->serving);
    list_init(&slice->inputs);
    list_init(&slice->outputs);
    share_start(&slice->share, &zone->below, (uint32_t)weight);
    handle = cap_insert_below(caller->env, capability, &slice->object, EXO_RIGHTS_ALL);
    object_drop(&slice->object);
    return handle;
}

static void count_slices(struct context *context)
{
    context->slices = (uint8_t)((context->slice != NULL) + (context->serves_on != NULL));
}

/* The context's own slice; NULL: none. */
static void change(struct context *context, struct slice *slice)
{
    struct slice *before = context->slice;

    if (before == slice)
        return;
    sched_requeue_begin(context);
    if (before) {
        list_remove(&context->slice_link);
        before->bound_count--;
    }
    context->slice = slice;
    count_slices(context);
    if (slice) {
        list_append(&slice->bound, &context->slice_link);
        slice->bound_count++;
    }
    sched_requeue_end(context);
}

void slice_unbind(struct context *context)
{
    change(context, NULL);
}

void slice_serve(struct context *server, struct slice *slice)
{
    if (server->serves_on) {
        list_remove(&server->serves_link);
        server->serves_on->serving_count--;
    }
    if (slice && (slice->serving_count == EXO_SLICE_CONTEXTS || slice->share.entity.gates))
        slice = NULL;
    server->serves_on = slice;
    count_slices(server);
    if (slice) {
        list_append(&slice->serving, &server->serves_link);
        slice->serving_count++;
    }
}

void slice_let_go(struct slice *slice)
{
    while (!list_empty(&slice->serving)) {
        struct context *server = LIST_ENTRY(slice->serving.next, struct context, serves_link);

        sched_requeue_begin(server);
        slice_serve(server, NULL);
        sched_requeue_end(server);
    }
}

/* The last capability is gone. */
void slice_free(struct object *object)
{
    struct slice *slice = (struct slice *)object;

    while (!list_empty(&slice->bound))
        slice_unbind(LIST_ENTRY(slice->bound.next, struct context, slice_link));
    slice_let_go(slice);
    task_end(slice);
    reserve_cancel(slice);
    share_end(&slice->share, &slice->object.zone->share);
    object_free(object, sizeof(*slice));
}

int64_t k_slice_bind(struct context *caller, struct capability *capability, struct capability *target)
{
    struct slice *slice = (struct slice *)capability->object;
    struct context *context = (struct context *)target->object;

    (void)caller;
    if (context->slice != slice && slice->bound_count == EXO_SLICE_CONTEXTS)
        return -EXO_E_LIMIT;
    change(context, slice);
    return 0;
}

int64_t k_slice_unbind(struct context *caller, struct capability *context)
{
    (void)caller;
    slice_unbind((struct context *)context->object);
    return 0;
}

int64_t k_slice_weight(struct context *caller, struct capability *slice, uint64_t weight)
{
    (void)caller;
    return entity_reweigh(&((struct slice *)slice->object)->share.entity, weight) ? 0 : -EXO_E_INVAL;
}

int64_t k_slice_info(struct context *caller, struct capability *capability, uint64_t out)
{
    const struct slice *slice = (const struct slice *)capability->object;
    struct exo_slice_info text = {0};
    uint64_t used;

    sched_settle(); /* the present turn counts, too, */
    used = slice->share.used;
    text.zone = slice->object.zone->object.id;
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        if (sched_share_of(cpu) == &slice->share)
            used += sched_unsettled(cpu); /* and those of others */
    text.used_ns = arch_cycles_to_ns(used);
    text.weight = slice->share.entity.weight;
    text.bound = slice->bound_count;
    text.serving = slice->serving_count;
    text.waits = slice->input_count;
    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}
