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

int64_t k_stats(struct context *caller, uint64_t out)
{
    struct exo_stats now = stats;

    now.calls += sched_cpu.calls + sched_cpu.replies + sched_cpu.turns + sched_cpu.wakes;
    now.switches += sched_cpu.calls + sched_cpu.replies + sched_cpu.turns;
    now.ipc_calls += sched_cpu.calls;
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
