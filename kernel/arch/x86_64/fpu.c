/*
 * FPU state moves only when a context really uses it: switching sets CR0.TS, the first FPU instruction traps, and the registers change owners then.
 * (On CPUs with the LazyFP flaw, CVE-2018-3665, this leaks registers to speculation: CAVEATS.md.)
 *
 * x87 and SSE only. XSAVE, and with it AVX, stays off in CR4: QEMU's TCG lets XSAVE and XRSTOR pass CR0.TS, so that with lazy switching one
 * program would read and damage another's registers (docs/decisions/0005-no-xsave.md).
 */
#include <exo/string.h>

#include "switch.h"

static uint64_t initial_physical; /* state of a context that never used it */

static void save(struct context *context)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(direct(context->arch.fpu_physical)) : "memory");
}

static void load(uint64_t physical)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(direct(physical)) : "memory");
}

void fpu_init(void)
{
    uint32_t mxcsr = 0x1f80;

    write_cr0((read_cr0() & ~(uint64_t)(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

/* The first FPU instruction of a context since another owned the registers. */
void fpu_needed(struct context *context)
{
    if (!initial_physical) {
        struct context first = {.arch.fpu_physical = frame_take(zones[0], 0, false)};

        initial_physical = first.arch.fpu_physical;
        if (!initial_physical)
            panic("no memory for the FPU's initial state");
        fpu_on();
        save(&first);
    }
    if (!context->arch.fpu_physical) {
        uint64_t physical = frame_take(context->env->zone, 0, false);

        if (!physical) {
            env_end(context->env, EXO_REASON_NOPAGE, 0, context->arch.regs.rip);
            return;
        }
        memcpy(direct(physical), direct(initial_physical), PAGE);
        context->arch.fpu_physical = physical;
    }
    fpu_on();
    if (percpu.fpu_owner && smp_cpus == 1)
        save(percpu.fpu_owner);
    load(context->arch.fpu_physical);
    percpu.fpu_owner = context;
    context->arch.fpu_cpu = (uint8_t)(percpu.number + 1);
}

void fpu_save(struct context *context)
{
    save(context);
}

void fpu_forget(struct context *context)
{
    for (unsigned cpu = 0; cpu < smp_cpus; cpu++)
        if (OF_CPU(cpu, struct percpu, percpu).fpu_owner == context)
            OF_CPU(cpu, struct percpu, percpu).fpu_owner = NULL;
    if (context->arch.fpu_physical)
        frame_drop(context->arch.fpu_physical);
    context->arch.fpu_physical = 0;
}

bool arch_context_inherit(struct context *from, struct context *to)
{
    uint64_t physical;

    if (!from->arch.fpu_physical)
        return true;
    if (fpu_is_here(from)) {
        fpu_on();
        save(from);
    }
    physical = frame_take(to->env->zone, 0, true);
    if (!physical)
        return false;
    memcpy(direct(physical), direct(from->arch.fpu_physical), PAGE);
    to->arch.fpu_physical = physical;
    return true;
}
