/* Contexts: registers, switching, and the register conventions of calls. */
#include <exo/string.h>

#include "switch.h"

bool arch_user_address(uint64_t address)
{
    return address < EXO_USER_TOP;
}

bool arch_state_valid(const struct exo_ctx_state *state)
{
    return arch_user_address(state->regs.rip) && arch_user_address(state->tls) && arch_user_address(state->syscall_entry) &&
           arch_user_address(state->upcall_entry);
}

void arch_first_state(struct exo_ctx_state *state, uint64_t entry, uint64_t argument, uint64_t stack)
{
    state->regs.rip = entry;
    state->regs.rdi = argument;
    state->regs.rsp = stack;
}

uint64_t arch_program_counter(const struct context *context)
{
    return context->arch.regs.rip;
}

/* What ring 3 may not choose is set; the instruction pointer is canonical (sysret to a non-canonical one faults in ring 0). */
static void sanitise(struct exo_regs *regs)
{
    regs->cs = SEGMENT_USER_CODE;
    regs->ss = SEGMENT_USER_DATA;
    regs->rflags = (regs->rflags & RFLAGS_USER) | RFLAGS_FIXED;
    if (!arch_user_address(regs->rip))
        regs->rip = 0;
}

void arch_context_write(struct context *context, const struct exo_ctx_state *state)
{
    context->arch.regs = state->regs;
    sanitise(&context->arch.regs);
    context->arch.tls = state->tls;
    context->arch.syscall_entry = state->syscall_entry;
    context->arch.upcall_entry = state->upcall_entry;
    context->arch.full_return = 1;
}

void arch_context_init(struct context *context, const struct exo_ctx_state *state, uint64_t upage_va)
{
    context->arch.upage_va = upage_va;
    context->arch.space_root = context->env->space.root;
    arch_context_write(context, state);
}

void arch_context_read(const struct context *context, struct exo_ctx_state *state)
{
    state->regs = context->arch.regs;
    state->tls = context->arch.tls;
    state->syscall_entry = context->arch.syscall_entry;
    state->upcall_entry = context->arch.upcall_entry;
}

void arch_context_free(struct context *context)
{
    fpu_forget(context);
}

void arch_switch_from(struct context *context)
{
    if (features.fsgsbase) /* ring 3 may have changed it */
        save_tls(context);
    if (__builtin_expect(smp_cpus > 1, false))
        fpu_leave(context);
}

void arch_switch_to(struct context *context)
{
    struct env *env = context->env;

    if (read_cr3() != env->space.root) {
        write_cr3(env->space.root);
        percpu.flushes = 0;
        if (__builtin_expect(smp_cpus > 1, false))
            smp_loaded(env);
    }
    load_context(NULL, context);
}

void arch_set_tls(struct context *context, uint64_t base)
{
    context->arch.tls = base;
    if (context == arch_current())
        load_tls(NULL, context);
}

void arch_upcall_enter(struct context *context, uint64_t frame_va, uint64_t cause)
{
    struct exo_regs *regs = &context->arch.regs;

    regs->rip = context->arch.upcall_entry;
    regs->rdi = frame_va;
    regs->rsi = cause;
    regs->rflags = RFLAGS_FIXED;
    context->arch.full_return = 1;
}

__attribute__((hot)) void arch_result(struct context *context, int64_t result)
{
    context->arch.regs.rax = (uint64_t)result;
}

uint64_t arch_argument(const struct context *context, unsigned index)
{
    const struct exo_regs *regs = &context->arch.regs;

    switch (index) {
    case 0: return regs->rdi;
    case 1: return regs->rsi;
    case 2: return regs->rdx;
    case 3: return regs->r10;
    case 4: return regs->r8;
    default: return regs->r9;
    }
}

void arch_message_copy(struct context *to, const struct context *from)
{
    to->arch.regs.rsi = from->arch.regs.rsi;
    to->arch.regs.rdx = from->arch.regs.rdx;
    to->arch.regs.r10 = from->arch.regs.r10;
    to->arch.regs.r8 = from->arch.regs.r8;
    to->arch.regs.r9 = from->arch.regs.r9;
}

void arch_message_badge(struct context *context, uint64_t badge)
{
    context->arch.regs.rdi = badge;
}

void arch_message_set(struct context *context, uint64_t badge, const uint64_t words[5])
{
    struct exo_regs *regs = &context->arch.regs;

    regs->rdi = badge;
    regs->rsi = words[0];
    regs->rdx = words[1];
    regs->r10 = words[2];
    regs->r8 = words[3];
    regs->r9 = words[4];
}

uint64_t arch_message_word(const struct context *context, unsigned index)
{
    return arch_argument(context, index + 1);
}

void arch_message_set_word(struct context *context, unsigned index, uint64_t value)
{
    struct exo_regs *regs = &context->arch.regs;
    uint64_t *const words[5] = {&regs->rsi, &regs->rdx, &regs->r10, &regs->r8, &regs->r9};

    *words[index] = value;
}
