/* A stopped thread's registers as ptrace shows them (struct user_regs_struct, user_fpregs_struct), and what a tracer may make of them. */
#include "entry/core.h"
#include "entry/trace.h"
#include "px_arch.h"

struct user_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, rflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};
_Static_assert(sizeof(struct user_regs) == PX_USER_REGS_BYTES, "user_regs_struct of x86-64");

#define USER_CS 0x33u /* what Linux's programs have and debuggers know 64-bit code by, whatever the kernel's are */
#define USER_SS 0x2bu
#define MXCSR_AT 24u
#define MXCSR_ALLOWED 0xffffu
#define FLAGS_ALLOWED 0x00240dd5ul /* with TF and DF; px_arch_sanitize has the last word */
#define FLAGS_FIXED 0x202ul
#define ARCH_X86_64 0xc000003eu

static void show(const struct exo_regs *regs, int64_t called, uint64_t tls, uint8_t to[PX_USER_REGS_BYTES])
{
    const struct user_regs user = {
        .r15 = regs->r15, .r14 = regs->r14, .r13 = regs->r13, .r12 = regs->r12, .rbp = regs->rbp, .rbx = regs->rbx, .r11 = regs->r11,
        .r10 = regs->r10, .r9 = regs->r9, .r8 = regs->r8, .rax = regs->rax, .rcx = regs->rcx, .rdx = regs->rdx, .rsi = regs->rsi,
        .rdi = regs->rdi, .orig_rax = (uint64_t)called, .rip = regs->rip, .cs = USER_CS, .rflags = regs->rflags, .rsp = regs->rsp,
        .ss = USER_SS, .fs_base = tls,
    };

    memcpy(to, &user, sizeof(user));
}

void px_arch_trace_regs(const struct px_thread *thread, uint8_t to[PX_USER_REGS_BYTES])
{
    show(thread->regs, thread->trace->called, thread->trace->tls, to);
}

/* Whoever is in the libOS has the program's registers where its stack begins. */
void px_arch_core_regs(struct px_thread *thread, uint8_t to[])
{
    struct exo_ctx_state state = {.regs = *thread->regs, .tls = px_arch_tls()};

    if (thread != px_thread() && exo_ctx_read(thread->context, &state) == 0 && state.regs.rip >= PX_PROG_HI)
        state.regs = *thread->regs;
    px_rewrite_unwind(&state.regs);
    show(&state.regs, -1, state.tls, to);
}

/* Linux refuses what is no selector of ring 3; any other segment than those of 64-bit programs is refused here. */
static bool is_data_selector(uint64_t selector)
{
    return selector == 0 || (selector & 3) == 3;
}

int64_t px_arch_trace_set_regs(struct px_thread *thread, const uint8_t from[PX_USER_REGS_BYTES])
{
    struct exo_regs *regs = thread->regs;
    struct user_regs user;

    memcpy(&user, from, sizeof(user));
    if ((uint16_t)user.cs != USER_CS || (uint16_t)user.ss != USER_SS || !is_data_selector(user.ds) || !is_data_selector(user.es) ||
        !is_data_selector(user.fs) || !is_data_selector(user.gs) || user.fs_base >= EXO_USER_TOP || user.gs_base >= EXO_USER_TOP)
        return -EIO;
    *regs = (struct exo_regs){
        .r15 = user.r15, .r14 = user.r14, .r13 = user.r13, .r12 = user.r12, .rbp = user.rbp, .rbx = user.rbx, .r11 = user.r11,
        .r10 = user.r10, .r9 = user.r9, .r8 = user.r8, .rax = user.rax, .rcx = user.rcx, .rdx = user.rdx, .rsi = user.rsi, .rdi = user.rdi,
        .rip = user.rip, .rflags = (user.rflags & FLAGS_ALLOWED) | FLAGS_FIXED, .rsp = user.rsp,
    };
    thread->trace->called = (int64_t)user.orig_rax;
    thread->trace->tls = user.fs_base;
    return 0;
}

int64_t px_arch_trace_set_fpu(struct px_tracee *trace, const uint8_t from[PX_FPU_BYTES])
{
    uint32_t mxcsr;

    memcpy(&mxcsr, from + MXCSR_AT, sizeof(mxcsr));
    if (mxcsr & ~MXCSR_ALLOWED)
        return -EINVAL;
    memcpy(trace->fpu, from, PX_FPU_BYTES);
    trace->fpu_changed = true;
    return 0;
}

uint32_t px_arch_trace_call(const struct px_thread *thread, uint8_t to[88])
{
    const struct exo_regs *regs = thread->regs;
    struct {
        uint8_t op, pad[3];
        uint32_t arch;
        uint64_t rip, rsp;
        union {
            struct { uint64_t number, argument[6]; } entry;
            struct { int64_t result; uint8_t is_error; } exit;
        };
    } info = {.op = thread->trace->call_stop, .arch = ARCH_X86_64, .rip = regs->rip, .rsp = regs->rsp};
    uint32_t bytes = 24;

    if (info.op == PX_CALL_ENTRY) {
        info.entry.number = (uint64_t)thread->trace->called;
        px_arch_arguments(regs, info.entry.argument);
        bytes = 80;
    } else if (info.op == PX_CALL_EXIT) {
        info.exit.result = (int64_t)px_arch_result(regs);
        info.exit.is_error = info.exit.result < 0 && info.exit.result >= -4095;
        bytes = 33;
    }
    memcpy(to, &info, sizeof(info));
    return bytes;
}
