/* What the machine capability allows: the console, power; and the kernel's own counters. */
#include "kernel.h"
#include "port.h"

struct object machine_object = {.references = 1, .type = EXO_TYPE_MACHINE, .label = EXO_PLACE_MACHINE};

#define CONSOLE_MOST 4096u

int64_t k_console_write(struct context *caller, struct capability *machine, uint64_t text, uint64_t bytes)
{
    char part[64];

    (void)machine;
    if (bytes > CONSOLE_MOST)
        bytes = CONSOLE_MOST;
    work_done(bytes); /* a device is slow */
    for (uint64_t done = 0; done < bytes; done += sizeof(part)) {
        size_t count = bytes - done < sizeof(part) ? bytes - done : sizeof(part);

        if (!space_read(caller->env, part, text + done, count))
            return done > 0 ? (int64_t)done : -EXO_E_FAULT;
        for (size_t i = 0; i < count; i++)
            arch_console_put(part[i]);
    }
    return (int64_t)bytes;
}

int64_t k_power_off(struct context *caller, struct capability *machine, uint64_t code)
{
    (void)caller;
    (void)machine;
    arch_power_off((unsigned)code);
}

PER_CPU(struct counters) counters;

/* The part of one CPU, whose fast paths count by themselves. */
static void add_cpu(struct exo_stats *now, struct counters *sum, unsigned cpu)
{
    const struct counters *counted = &OF_CPU(cpu, struct counters, counters);
    const struct sched_cpu *fast = &OF_CPU(cpu, struct sched_cpu, sched_cpu);
    uint64_t switches = fast->calls + fast->replies + fast->turns;

    counters_add(sum, counted);
    now->calls += switches + fast->wakes;
    now->ipc_calls += fast->calls;
    now->redirects += arch_redirects(cpu);
    now->running += fast->current != NULL;
    now->cpu_idle_ns[cpu] = sched_idle_ns(cpu);
    now->cpu_switches[cpu] = counted->switches + switches;
    now->cpu_interrupts[cpu] = counted->interrupts;
    now->cpu_timer_interrupts[cpu] = counted->timer_interrupts;
    now->cpu_kicks[cpu] = counted->kicks;
    now->cpu_stack[cpu] = arch_stack_used(cpu);
    now->switches += now->cpu_switches[cpu];
    now->idle_ns += now->cpu_idle_ns[cpu];
}

int64_t k_stats(struct context *caller, uint64_t out)
{
    struct exo_stats now = stats;
    struct counters sum = {0};

    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        add_cpu(&now, &sum, cpu);
    now.calls += sum.calls;
    now.ipc_calls += sum.ipc_calls;
    now.faults = sum.faults;
    now.upcalls = sum.upcalls;
    now.cow_copies = sum.cow_copies;
    now.interrupts = sum.interrupts;
    now.timer_interrupts = sum.timer_interrupts;
    now.timers_early = sum.timers_early;
    now.running += sched_runnable;
    now.frames_total = frames_total;
    now.frames_free = frames_free;
    now.kernel_frames = frames_kernel;
    return space_write(caller->env, out, &now, sizeof(now)) ? 0 : -EXO_E_FAULT;
}

int64_t k_null(struct context *caller)
{
    (void)caller;
    return 0;
}
