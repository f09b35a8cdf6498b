/*
 * Slices as tasks that wait for others: an edge for each pair, kept by the zone's memory, listed at both ends. A slice with edges to inputs is gated
 * (share.c): nobody on it is chosen, whatever the policy. A circle would never end, so the call that would close one is refused and told which.
 */
#include <exo/string.h>

#include "policy.h"
#include "port.h"
#include "slice.h"

struct edge {
    struct list in, out; /* among the inputs of `after`, and among the outputs of `input` */
    struct slice *after, *input;
};

static uint64_t searches;

static void cut(struct edge *edge)
{
    struct slice *after = edge->after;

    list_remove(&edge->in);
    list_remove(&edge->out);
    edge->input->output_count--;
    zone_small_free(after->object.zone, edge, sizeof(*edge));
    if (--after->input_count == 0)
        share_open(&after->share, GATE_INPUTS);
}

/* Those that wait for it wait for it no more. */
static void cut_outputs(struct slice *slice)
{
    while (!list_empty(&slice->outputs))
        cut(LIST_ENTRY(slice->outputs.next, struct edge, out));
}

void task_end(struct slice *slice)
{
    cut_outputs(slice);
    while (!list_empty(&slice->inputs))
        cut(LIST_ENTRY(slice->inputs.next, struct edge, in));
}

/* 0: `from` does not wait for `wanted`, near or far. CIRCLE: it does, and `via` leads from `wanted` back to `from`. */
static int64_t search(struct slice *from, const struct slice *wanted)
{
    struct slice *todo = from;
    unsigned edges = 0;

    from->searched = ++searches;
    from->via = from->todo = NULL;
    while (todo) {
        struct slice *at = todo;

        if (at == wanted)
            return -EXO_E_CIRCLE;
        todo = at->todo;
        for (struct list *next = at->inputs.next; next != &at->inputs; next = next->next) {
            struct slice *input = LIST_ENTRY(next, struct edge, in)->input;

            if (++edges > EXO_TASK_SEARCH)
                return -EXO_E_LIMIT;
            if (input->searched == searches)
                continue;
            input->searched = searches;
            input->via = at;
            input->todo = todo;
            todo = input;
        }
    }
    work_done(edges / 64);
    return 0;
}

/* From the slice that would wait to the input. */
static bool name_circle(struct context *caller, const struct slice *slice, uint64_t out)
{
    uint64_t names[EXO_CIRCLE_MOST] = {0};

    for (unsigned i = 0; slice && i < EXO_CIRCLE_MOST; i++, slice = slice->via)
        names[i] = slice->object.id;
    return space_write(caller->env, out, names, sizeof(names));
}

static int64_t check(const struct slice *slice, const struct slice *input)
{
    if (slice->share.entity.in != input->share.entity.in || !slice->share.entity.in->policy->tasks || slice->done)
        return -EXO_E_INVAL;
    for (const struct list *at = slice->inputs.next; at != &slice->inputs; at = at->next)
        if (LIST_ENTRY(at, struct edge, in)->input == input)
            return -EXO_E_EXISTS;
    if (slice->input_count == EXO_TASK_EDGES || input->output_count == EXO_TASK_EDGES)
        return -EXO_E_LIMIT;
    return 0;
}

int64_t k_slice_after(struct context *caller, struct capability *capability, struct capability *input_capability, uint64_t circle)
{
    struct slice *slice = (struct slice *)capability->object, *input = (struct slice *)input_capability->object;
    int64_t status = check(slice, input);
    struct edge *edge;

    if (status == 0)
        status = search(input, slice);
    if (status == -EXO_E_CIRCLE && !name_circle(caller, slice, circle))
        return -EXO_E_FAULT;
    if (status < 0 || input->done)
        return status;
    edge = zone_small(slice->object.zone, sizeof(*edge));
    if (!edge)
        return -EXO_E_NOMEM;
    edge->after = slice;
    edge->input = input;
    list_append(&slice->inputs, &edge->in);
    list_append(&input->outputs, &edge->out);
    input->output_count++;
    if (slice->input_count++ == 0) {
        sched_settle();
        slice_let_go(slice);
        share_gate(&slice->share, GATE_INPUTS);
    }
    return 0;
}

int64_t k_slice_done(struct context *caller, struct capability *capability)
{
    struct slice *slice = (struct slice *)capability->object;

    (void)caller;
    if (slice->done || slice->input_count > 0)
        return -EXO_E_INVAL;
    slice->done = true;
    cut_outputs(slice);
    return 0;
}
