/* The windows of entry.S: places where an upcall may find the libOS half way out, and how each is completed. */
#include "px_arch.h"

#pragma GCC visibility push(hidden)
extern const char px_exit_window[], px_exit_window_end[], px_light_window[], px_light_window_end[], px_iret_window[], px_iret_window_end[];
extern const char px_child_entry_end[];
/* The guarded copy code (copy.S). */
extern const char px_guarded_start[], px_guarded_end[], px_guarded_fixup[];
/* Accesses of light calls (posix.ld). */
extern const char px_light_guarded[], px_light_guarded_end[];
#pragma GCC visibility pop

_Static_assert(PX_IMAGE == 0x7ffff0000000ul && PX_UPAGE == 0x7ffff0100000ul && PX_THREADS % PX_THREAD_BYTES == 0 && PX_THREAD_BYTES == 0x10000,
               "what entry.S tells debuggers");

static bool inside(uint64_t rip, const char *start, const char *end)
{
    return rip >= (uint64_t)start && rip < (uint64_t)end;
}

struct exo_regs *px_regs(void)
{
    px_thread()->exit_work |= PX_WORK_REGS;
    return px_thread()->regs;
}

uint64_t px_arch_starting(const struct exo_upcall *frame)
{
    return inside(frame->regs.rip, (const char *)px_child_entry, px_child_entry_end) ? (uint64_t)px_child_entry : 0;
}

void px_arch_finish_exit(struct exo_upcall *frame)
{
    const struct exo_upage *page = px_upage();

    if (inside(frame->regs.rip, px_exit_window, px_exit_window_end)) {
        /* Everything else is in place: only the jump and the stack are missing. */
        const struct exo_regs *regs = px_thread()->regs;

        frame->regs.rip = regs->rip;
        frame->regs.rflags = regs->rflags;
        frame->regs.rsp = regs->rsp;
    } else if (inside(frame->regs.rip, px_light_window, px_light_window_end)) {
        frame->regs.rip = frame->regs.rcx;
        frame->regs.rsp = px_thread()->site_stack;
    } else if (inside(frame->regs.rip, px_iret_window, px_iret_window_end)) {
        frame->regs.rip = page->iret[0];
        frame->regs.rflags = page->iret[2];
        frame->regs.rsp = page->iret[3];
    }
}

bool px_arch_guarded(const struct exo_upcall *frame)
{
    return inside(frame->regs.rip, px_guarded_start, px_guarded_end) || inside(frame->regs.rip, px_light_guarded, px_light_guarded_end);
}

void px_arch_guarded_fail(struct exo_upcall *frame)
{
    frame->regs.rip = (uint64_t)px_guarded_fixup;
}

/* Both ways in are two bytes before the return address or, for a call, its return address below the stack pointer, which is in the red zone and
 * so still there. */
void px_arch_restart(struct exo_regs *regs, uint64_t number)
{
    regs->rax = number;
    if (regs->ss) {
        regs->rsp -= 8;
        regs->rip = (uint64_t)px_direct_entry;
    } else {
        regs->rip -= 2;
    }
}

/* CF PF AF ZF SF DF OF AC ID: what a program gets back; interrupts stay on. NT would make the return itself fault, TF would trap within it, for ever. */
#define FLAGS_ALLOWED 0x00240cd5ul
#define FLAGS_FIXED 0x202ul

bool px_arch_sanitize(struct exo_regs *regs)
{
    regs->rflags = (regs->rflags & FLAGS_ALLOWED) | FLAGS_FIXED;
    return regs->rip < EXO_USER_TOP;
}

void px_arch_child_state(struct exo_ctx_state *state, uint64_t tls)
{
    *state = (struct exo_ctx_state){
        .tls = tls,
        .syscall_entry = (uint64_t)px_syscall_entry,
        .upcall_entry = (uint64_t)px_upcall_entry,
    };
    state->regs.rip = (uint64_t)px_child_entry;
    state->regs.rsp = (uint64_t)&px_first_regs;
}

void px_arch_thread_state(struct exo_ctx_state *state, const struct exo_regs *regs, uint64_t tls)
{
    px_arch_child_state(state, tls);
    state->regs.rip = (uint64_t)px_thread_entry;
    state->regs.rsp = (uint64_t)regs;
}

#define FLAG_TF 0x100ul

void px_arch_step_state(struct exo_ctx_state *state, const struct exo_regs *regs, uint64_t tls)
{
    px_arch_child_state(state, tls);
    state->regs = *regs;
    state->regs.rflags |= FLAG_TF;
}
