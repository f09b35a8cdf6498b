/* Who is ready, and waits for a CPU: in the hands of the shares' policies (share.c). One queue for all CPUs. */
#include "ready.h"

#include "port.h"

void ready_give(struct context *context, bool first)
{
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
