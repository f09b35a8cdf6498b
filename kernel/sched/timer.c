/* Deadlines: the armed timers are a heap (heap.h), so setting and taking back are bounded, however many there are. */
#include "kernel.h"
#include "port.h"
#include "slice.h"
#include "trace.h"

/* Timers that pass at one tick; those that are left come with the next, which is at once. */
#define EXPIRE_MOST 64u

static PER_CPU(struct heap_node *) earliest; /* of those that were armed on this CPU */

static struct heap_node **heap(void)
{
    return &OF_CPU(arch_cpu(), struct heap_node *, earliest);
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    lock_needed();
    ASSERT(!timer_armed(timer));
    timer->node.key = deadline_ns < INT64_MAX ? deadline_ns : INT64_MAX; /* in centuries */
    heap_insert(heap(), &timer->node);
    if (*heap() == &timer->node)
        sched_needed = true;
}

uint64_t timer_next(void)
{
    return earliest ? earliest->key : UINT64_MAX;
}

static void fire(struct timer *timer)
{
    if (timer->kind == TIMER_TRACE) {
        trace_timer(timer);
        return;
    }
    switch ((enum timer_kind)timer->kind) { /* of four: a fifth makes it a table of jumps, which ./exo size --stack cannot follow */
    case TIMER_EVENT: {
        struct context *context = LIST_ENTRY(timer, struct context, event_timer);

        context_post(context, context->event_timer_bits);
        sched_woke(context);
        break;
    }
    case TIMER_WAIT: {
        struct context *context = LIST_ENTRY(timer, struct context, wait_timer);

        wait_finish(context, -EXO_E_TIMEOUT);
        sched_woke(context);
        break;
    }
    case TIMER_TRACE: break;
    case TIMER_RESERVE: reserve_timer(timer); break;
    case TIMER_GAS: gas_timer(LIST_ENTRY(timer, struct gas_account, timer)); break;
    }
}

void timer_expire(uint64_t now_ns)
{
    for (unsigned count = 0; count < EXPIRE_MOST && earliest && earliest->key <= now_ns; count++) {
        struct timer *timer = LIST_ENTRY(earliest, struct timer, node);

        heap_remove(&timer->node);
        fire(timer);
    }
}
