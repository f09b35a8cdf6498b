/*
 * Who runs next: one queue, first come first served, a slice each. This is the mechanism's simplest policy; the ones that can be plugged in come
 * with the scheduler vectors.
 */
#include "kernel.h"
#include "port.h"

#define SLICE_NS 5000000ul

static struct list ready_queue = {&ready_queue, &ready_queue};
static struct context *current; /* counted; its registers are live in ring 3 */
static struct context *direct_next;
static bool give_way;
static bool slice_armed;
static uint64_t timer_programmed = UINT64_MAX;
uint32_t sched_runnable;

struct context *arch_current(void)
{
    return current;
}

static void enqueue(struct context *context, bool first)
{
    context->state = CTX_READY;
    if (context == current || !list_empty(&context->link))
        return;
    if (first)
        list_prepend(&ready_queue, &context->link);
    else
        list_append(&ready_queue, &context->link);
    sched_runnable++;
}

void sched_ready(struct context *context)
{
    enqueue(context, false);
}

void sched_ready_first(struct context *context)
{
    enqueue(context, true);
}

void sched_remove(struct context *context)
{
    if (context == direct_next)
        direct_next = NULL;
    if (context->state == CTX_READY && !list_empty(&context->link)) {
        list_remove(&context->link);
        sched_runnable--;
    }
}

/* `direct` is READY and in no queue. */
void sched_switch(struct context *direct)
{
    if (direct_next && direct_next != direct)
        enqueue(direct_next, true);
    direct_next = direct;
}

void sched_tick(void)
{
    timer_programmed = UINT64_MAX;
    slice_armed = false;
    timer_expire(arch_now_ns());
    (void)reap_some();
    if (!list_empty(&ready_queue))
        give_way = true;
}

int64_t k_yield(struct context *caller)
{
    (void)caller;
    give_way = true;
    return 0;
}

static struct context *dequeue(void)
{
    struct context *context = LIST_ENTRY(ready_queue.next, struct context, link);

    list_remove(&context->link);
    sched_runnable--;
    return context;
}

static void program_timer(void)
{
    uint64_t wanted = timer_next();

    if ((!list_empty(&ready_queue) || reap_waiting) && !slice_armed) {
        uint64_t slice_end = arch_now_ns() + SLICE_NS;

        slice_armed = true;
        if (slice_end < wanted)
            wanted = slice_end;
    }
    if (wanted < timer_programmed) {
        timer_programmed = wanted;
        arch_timer_set(wanted);
    }
}

/* The context that should run, NULL if none can. */
static struct context *choose(void)
{
    struct context *next = direct_next;
    bool current_ready = current && current->state == CTX_READY;

    direct_next = NULL;
    if (next) {
        if (current_ready && current != next) { /* a reply: the server goes on, the client waits its turn */
            list_append(&ready_queue, &current->link);
            sched_runnable++;
        }
    } else if (current_ready && (!give_way || list_empty(&ready_queue))) {
        next = current;
    } else if (!list_empty(&ready_queue)) {
        next = dequeue();
        if (current_ready) {
            list_append(&ready_queue, &current->link);
            sched_runnable++;
        }
    }
    give_way = false;
    return next;
}

static void make_current(struct context *next)
{
    uint64_t now = arch_cycles();

    object_hold(&next->object);
    if (current) {
        struct context *before = current;

        before->env->cpu_ns += now - before->run_since;
        arch_switch_from(before);
        current = next;
        object_drop(&before->object);
    }
    current = next;
    next->run_since = now;
    stats.switches++;
    info->context_switches = stats.switches;
    arch_switch_to(next);
}

static void idle(void)
{
    uint64_t from = arch_cycles();

    if (reap_some()) {
        arch_let_interrupts();
        return;
    }
    if (current) {
        current->env->cpu_ns += from - current->run_since;
        program_timer();
        arch_idle();
        current->run_since = arch_cycles();
    } else {
        program_timer();
        arch_idle();
    }
    stats.idle_ns += arch_cycles_to_ns(arch_cycles() - from);
    info->idle_ns = stats.idle_ns;
}

struct context *sched_pick(void)
{
    if (reap_fresh)
        (void)reap_some();
    for (;;) {
        struct context *next = choose();

        if (!next) {
            idle();
            continue;
        }
        if (next != current)
            make_current(next);
        if (next->upage->pending)
            context_deliver(next);
        if (next->state == CTX_READY) {
            program_timer();
            return next;
        }
    }
}
