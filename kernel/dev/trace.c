/*
 * Recording what the CPUs do, one ring each. The kernel only writes: a reader has the block's pages mapped, and looks at `written` before and after it
 * copies. What comes when the ring is full overwrites the oldest. When the last capability to the trace is gone, so is the recording.
 */
#include "trace.h"

#include "port.h"

#define SAMPLE_LEAST_NS 10000u

PER_CPU(struct trace *) trace_to;

void trace_write(unsigned kind, unsigned detail, const struct context *context, uint64_t a, uint64_t b)
{
    struct trace *to = trace_to;

    if (!to)
        return;
    to->records[to->next] = (struct exo_trace_record){
        .tsc = arch_cycles(), .context = context ? (uint32_t)context->object.id : 0, .kind = (uint16_t)kind, .detail = (uint16_t)detail, .a = a, .b = b};
    to->next = to->next + 1 < to->capacity ? to->next + 1 : 0;
    __atomic_store_n(&to->header->written, ++to->written, __ATOMIC_RELEASE);
    if (kind == EXO_TRACE_IDLE)
        timer_disarm(&to->timer);
    else if (context && to->sample_ns && !timer_armed(&to->timer))
        trace_timer(&to->timer);
}

void trace_timer(struct timer *timer)
{
    timer_arm(timer, arch_now_ns() + LIST_ENTRY(timer, struct trace, timer)->sample_ns);
}

bool trace_sample_due(uint64_t *late_ns)
{
    const struct trace *to = trace_to;
    uint64_t now_ns = arch_now_ns();

    if (!to || !timer_armed(&to->timer) || to->timer.node.key > now_ns)
        return false;
    *late_ns = now_ns - to->timer.node.key;
    return true;
}

static void begin(struct trace *new)
{
    struct block *block = new->block;

    new->header = direct(block->physical);
    new->records = (struct exo_trace_record *)(new->header + 1);
    new->capacity = (block->pages * PAGE - sizeof(*new->header)) / sizeof(*new->records);
    *new->header = (struct exo_trace_header){.capacity = new->capacity, .begun_tsc = arch_cycles(), .cpu = new->cpu};
    new->timer.kind = TIMER_TRACE;
    new->runs = true;
    OF_CPU(new->cpu, struct trace *, trace_to) = new;
    arch_trace_changed(new->cpu);
    if (new->sample_ns && new->cpu == arch_cpu()) /* another begins with its first record */
        trace_timer(&new->timer);
}

int64_t k_trace_bind(struct context *caller, struct capability *machine, struct capability *frame, uint64_t cpu, uint64_t sample_ns)
{
    struct block *block = (struct block *)frame->object;
    struct trace *new;
    int64_t handle;

    if (cpu >= arch_cpus())
        return -EXO_E_RANGE;
    if (block->device || (sample_ns && sample_ns < SAMPLE_LEAST_NS))
        return -EXO_E_INVAL;
    if (block->ready != block->pages)
        return -EXO_E_AGAIN;
    if (OF_CPU(cpu, struct trace *, trace_to))
        return -EXO_E_BUSY;
    new = object_new(caller->env->zone, EXO_TYPE_TRACE, sizeof(*new));
    if (!new)
        return -EXO_E_NOMEM;
    new->block = block;
    new->cpu = (unsigned)cpu;
    new->sample_ns = sample_ns;
    object_hold(&block->object); /* which also keeps it from being split or merged */
    handle = cap_insert_below(caller->env, machine, &new->object, EXO_RIGHTS_ALL);
    if (handle >= 0)
        begin(new);
    object_drop(&new->object);
    return handle;
}

void trace_free(struct object *object)
{
    struct trace *old = (struct trace *)object;

    if (old->runs) {
        OF_CPU(old->cpu, struct trace *, trace_to) = NULL;
        timer_disarm(&old->timer);
        arch_trace_changed(old->cpu);
    }
    object_drop(&old->block->object);
    object_free(object, sizeof(*old));
}

int64_t k_trace_note(struct context *caller, uint64_t detail, uint64_t a, uint64_t b)
{
    TRACE(EXO_TRACE_NOTE, (uint16_t)detail, caller, a, b);
    return 0;
}
