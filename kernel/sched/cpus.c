/* Several CPUs: who is told when somebody is ready, what others have used, and how one loses its context to another. */
#include "port.h"
#include "ready.h"
#include "run.h"

uint32_t cpus_asleep;

/* The CPU looks what it shall do. */
void sched_look_at(unsigned cpu)
{
    OF_CPU(cpu, bool, sched_needed) = true;
    if (cpu != arch_cpu())
        arch_kick(cpu);
}

void sched_changed(const struct context *context)
{
    if (context->cpu == 0)
        sched_needed = true;
    else
        sched_look_at(context->cpu - 1u);
}

void sched_all_changed(void)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        sched_look_at(cpu);
}

/*
 * Somebody else is ready: who sleeps shall run it, first of all who ran the next one last; if nobody sleeps, those that thought they were alone end
 * their slices in time.
 */
__attribute__((noinline)) void cpus_spread(void)
{
    uint32_t ready = sched_runnable;
    const struct context *next = share_peek();
    unsigned first = next && next->last_cpu ? next->last_cpu - 1u : 0;

    for (unsigned i = 0; i < arch_cpus() && ready > 0 && cpus_asleep; i++) {
        unsigned cpu = (first + i) % arch_cpus();

        if (!(cpus_asleep >> cpu & 1))
            continue;
        cpus_asleep &= ~(1u << cpu);
        sched_look_at(cpu);
        ready--;
    }
    for (unsigned cpu = 0; cpu < arch_cpus() && ready > 0; cpu++)
        if (cpu != arch_cpu() && OF_CPU(cpu, struct sched_cpu, sched_cpu).current && !OF_CPU(cpu, bool, sched_slice_armed))
            sched_look_at(cpu);
}

void sched_dislodge(struct context *context)
{
    unsigned cpu = context->cpu - 1u;
    uint64_t now, used;

    if (context->cpu == 0 || cpu == arch_cpu())
        return;
    arch_park(cpu, context);
    now = arch_cycles();
    used = now - OF_CPU(cpu, uint64_t, run_since);
    OF_CPU(cpu, uint64_t, run_since) = now;
    context->cpu_cycles += now;
    OF_CPU(cpu, int64_t, gas_purse) -= (int64_t)((unsigned __int128)used * cycle_price >> 32);
    OF_CPU(cpu, struct share *, sched_share)->used += used;
    OF_CPU(cpu, struct sched_cpu, sched_cpu).current = NULL;
    OF_CPU(cpu, bool, idling) = true;
    context->cpu = 0;
    if (context->donated)
        gas_sponsor(context, NULL);
}

const struct share *sched_share_of(unsigned cpu)
{
    return OF_CPU(cpu, bool, idling) ? NULL : OF_CPU(cpu, struct share *, sched_share);
}

uint64_t sched_unsettled(unsigned cpu)
{
    return OF_CPU(cpu, bool, idling) ? 0 : arch_cycles() - OF_CPU(cpu, uint64_t, run_since);
}

uint64_t sched_unsettled_gas(unsigned cpu)
{
    return (uint64_t)((unsigned __int128)sched_unsettled(cpu) * cycle_price >> 32);
}

void sched_end_slices(const struct share *share)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++) {
        if (cpu == arch_cpu() || sched_share_of(cpu) != share)
            continue;
        if (OF_CPU(cpu, enum reason, reason) == GO_ON)
            OF_CPU(cpu, enum reason, reason) = SLICE_OVER;
        sched_look_at(cpu);
    }
}
