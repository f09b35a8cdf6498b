/* Loading another context into the processor, in line: for arch_switch_to, and for the fast paths (fast.c). */
#ifndef SWITCH_H
#define SWITCH_H
#include "cpu.h"
#include "port.h"

/* Where ring 3 can change the base by itself. */
static inline void save_tls(struct context *context)
{
    __asm__ volatile("rdfsbase %0" : "=r"(context->arch.tls));
}

/*
 * Without FSGSBASE ring 3 can only make the base 0, by a selector, so where it was and shall be 0 it is. With it, that of *from is kept, if `from` is
 * not NULL; it is looked up no sooner.
 */
static inline __attribute__((always_inline)) void load_tls(struct context *const *from, const struct context *context)
{
    uint64_t any = percpu.tls;

    any |= context->arch.tls;
    if (__builtin_expect(any == 0, true))
        return;
    __asm__ volatile("" : : : "memory"); /* it is loaded again, so that the common case keeps no copy */
    if (percpu.fsgsbase) {
        if (from)
            save_tls(*from);
        __asm__ volatile("wrfsbase %0" : : "r"(context->arch.tls));
    } else {
        percpu.tls = context->arch.tls;
        write_msr(MSR_FS_BASE, context->arch.tls);
    }
}

static inline void fpu_on(void)
{
    percpu.fpu_off = false;
    __asm__ volatile("clts");
}

/* Its registers are here, and it has not used another CPU's since. */
static inline bool fpu_is_here(const struct context *context)
{
    return percpu.fpu_owner == context && context->arch.fpu_cpu == percpu.number + 1;
}

/* With several CPUs: another one may run it next. */
static inline void fpu_leave(struct context *context)
{
    if (__builtin_expect(fpu_is_here(context) && !percpu.fpu_off, false))
        fpu_save(context);
}

/* CR3 names its page tables; NULL: the kernel's own. */
static inline void smp_loaded(struct env *env)
{
    if (percpu.loaded)
        percpu.loaded->space.cpus &= ~(1u << percpu.number);
    percpu.loaded = env;
    if (env)
        env->space.cpus |= 1u << percpu.number;
}

/* The first FPU instruction of anybody but the registers' owner traps. */
static inline void fpu_switch_to(const struct context *context)
{
    if (__builtin_expect(percpu.fpu_owner == context, false) && fpu_is_here(context)) {
        fpu_on();
    } else if (__builtin_expect(!percpu.fpu_off, false)) {
        percpu.fpu_off = true;
        write_cr0(read_cr0() | CR0_TS);
    }
}

/* All but the address space; as load_tls. */
static inline __attribute__((always_inline)) void load_context(struct context *const *from, struct context *context)
{
    percpu.tss.rsp[0] = (uint64_t)(&context->arch.regs + 1);
    percpu.upage = context->upage;
    percpu.syscall_entry = context->arch.syscall_entry;
    write_msr(MSR_KERNEL_GS_BASE, context->arch.upage_va);
    load_tls(from, context);
    fpu_switch_to(context);
}
#define REGS(name) [name] "i"(CONTEXT_REGS + EXO_REGS_##name)

/* To ring 3 with a message: what the context kept comes from its registers, nothing from anybody else's. */
static inline __attribute__((always_inline)) _Noreturn void resume_with(const struct context *context, uint64_t result, uint64_t badge,
                                                                        uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    register const struct context *r11 __asm__("r11") = context;
    register uint64_t r10 __asm__("r10") = w2;
    register uint64_t r8 __asm__("r8") = w3;
    register uint64_t r9 __asm__("r9") = w4;

    __asm__ volatile("mov %c[RBX](%[context]), %%rbx\n\t"
                     "mov %c[RBP](%[context]), %%rbp\n\t"
                     "mov %c[R12](%[context]), %%r12\n\t"
                     "mov %c[R13](%[context]), %%r13\n\t"
                     "mov %c[R14](%[context]), %%r14\n\t"
                     "mov %c[R15](%[context]), %%r15\n\t"
                     "mov %c[RIP](%[context]), %%rcx\n\t"
                     "mov %c[RSP](%[context]), %%rsp\n\t"
                     "mov %c[RFLAGS](%[context]), %%r11\n\t"
                     "swapgs\n\t"
                     "sysretq"
                     :
                     : [context] "r"(r11), "a"(result), "D"(badge), "S"(w0), "d"(w1), "r"(r10), "r"(r8), "r"(r9), REGS(RBX), REGS(RBP), REGS(R12),
                       REGS(R13), REGS(R14), REGS(R15), REGS(RIP), REGS(RFLAGS), REGS(RSP)
                     : "memory");
    __builtin_unreachable();
}
#endif
