/* Who is ready, and waits for a CPU: in the hands of the shares' policies (share.c). One queue for all CPUs. */
#include "ready.h"

#include "port.h"
#include "slice.h"

void ready_give(struct context *context, bool first)
{
    lock_needed();
    share_enqueue(context, first);
    sched_runnable++;
    if (!sched_slice_armed || arch_cpus() > 1)
        sched_needed = true; /* a slice begins, or another CPU runs it */
}

static void enqueue(struct context *context, bool first)
{
    context->state = CTX_READY;
    if (context == sched_cpu.current || context->cpu != 0 || !list_empty(&context->link))
        return;
    ready_give(context, first);
}

void sched_ready(struct context *context)
{
    enqueue(context, false);
}

void sched_ready_first(struct context *context)
{
    enqueue(context, true);
}

bool ready_has(const struct context *context)
{
    return context->state == CTX_READY && !list_empty(&context->link);
}

void ready_take(struct context *context)
{
    lock_needed();
    share_dequeue(context);
    sched_runnable--;
}

void sched_remove(struct context *context)
{
    if (context == sched_cpu.direct)
        sched_cpu.direct = NULL;
    gas_forget(context);
    if (ready_has(context))
        ready_take(context);
}

PER_CPU(bool) sched_requeued;

void sched_requeue_out(struct context *context)
{
    sched_requeued = ready_has(context);
    if (sched_requeued)
        ready_take(context);
}

void sched_requeue_in(struct context *context)
{
    sched_requeued = false;
    ready_give(context, false);
}

/* It works on the caller's share and gas as a server would: for the rest of this turn, at most until the slice of time is over. */
int64_t k_yield_to(struct context *caller, struct capability *capability)
{
    struct context *context = (struct context *)capability->object;

    if (context == caller)
        return 0;
    if (!ready_has(context) || share_of(context)->entity.gates)
        return -EXO_E_AGAIN;
    ready_take(context);
    /* Who serves somebody goes on at that one's cost; between those whose costs are the same's anyway it is a change of places. */
    if (!context->sponsor && (gas_payer(context) != gas_payer(caller) || share_of(context) != share_of(caller))) {
        gas_sponsor(context, caller);
        context->donated = true;
    }
    sched_switch(context);
    return 0;
}
