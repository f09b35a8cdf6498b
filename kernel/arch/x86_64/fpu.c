/*
 * FPU state moves only when a context really uses it: switching sets CR0.TS, the first FPU instruction traps, and the registers change owners then.
 * (On CPUs with the LazyFP flaw, CVE-2018-3665, this leaks registers to speculation: CAVEATS.md.)
 */
#include <exo/string.h>

#include "cpu.h"
#include "port.h"

static uint64_t initial_physical; /* state of a context that never used it */

#define UPPER_OFFSET 576 /* where XSAVE's format has the upper halves of the vector registers */
#define AVX_STATE 4

#define EACH_VECTOR(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define SAVE_UPPER(n) "vextractf128 $1, %%ymm" #n ", 16*" #n "(%0)\n"
#define LOAD_UPPER(n) "vinsertf128 $1, 16*" #n "(%0), %%ymm" #n ", %%ymm" #n "\n"

/*
 * XSAVE's format, written without XSAVE and XRSTOR: under QEMU 7.2's TCG contexts that run concurrently get damaged registers with these (2 of
 * 20 concurrent pipelines of seq and sort), and none with FXSAVE and plain moves of the upper halves.
 */
static void save(struct context *context)
{
    uint8_t *area = direct(context->arch.fpu_physical);

    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
    if (features.xsave && features.xsave_mask & AVX_STATE)
        __asm__ volatile(EACH_VECTOR(SAVE_UPPER) : : "r"(area + UPPER_OFFSET) : "memory");
}

static void load(uint64_t physical)
{
    const uint8_t *area = direct(physical);

    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
    if (features.xsave && features.xsave_mask & AVX_STATE)
        __asm__ volatile(EACH_VECTOR(LOAD_UPPER) : : "r"(area + UPPER_OFFSET) : "memory");
}

static void set_off(bool off)
{
    if (off == percpu.fpu_off)
        return;
    percpu.fpu_off = off;
    if (off)
        write_cr0(read_cr0() | CR0_TS);
    else
        __asm__ volatile("clts");
}

void fpu_init(void)
{
    uint32_t mxcsr = 0x1f80;

    write_cr0((read_cr0() & ~(uint64_t)(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
    features.xsave_bytes = 512;
    if (features.xsave) {
        features.xsave_mask = (cpuid(0xd, 0).a & 7) | 3; /* x87, SSE, AVX */
        __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)features.xsave_mask), "d"(0));
        features.xsave_bytes = cpuid(0xd, 0).b;
        ASSERT(features.xsave_bytes <= PAGE);
    }
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
        set_off(false);
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
    set_off(false);
    if (percpu.fpu_owner)
        save(percpu.fpu_owner);
    load(context->arch.fpu_physical);
    percpu.fpu_owner = context;
}

void fpu_switch_to(struct context *context)
{
    set_off(percpu.fpu_owner != context);
}

void fpu_forget(struct context *context)
{
    if (percpu.fpu_owner == context)
        percpu.fpu_owner = NULL;
    if (context->arch.fpu_physical)
        frame_drop(context->arch.fpu_physical);
    context->arch.fpu_physical = 0;
}

bool arch_context_inherit(struct context *from, struct context *to)
{
    uint64_t physical;

    if (!from->arch.fpu_physical)
        return true;
    if (percpu.fpu_owner == from) {
        set_off(false);
        save(from);
    }
    physical = frame_take(to->env->zone, 0, true);
    if (!physical)
        return false;
    memcpy(direct(physical), direct(from->arch.fpu_physical), PAGE);
    to->arch.fpu_physical = physical;
    return true;
}
