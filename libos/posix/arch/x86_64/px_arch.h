/*
 * What the libOS's portable entry code asks of the processor: the registers of the program, the windows of entry.S in which an exit may be
 * interrupted, exception vectors, FPU state and the signal frame. Everything here is x86-64's.
 */
#ifndef PX_ARCH_H
#define PX_ARCH_H
#include "entry/entry.h"
#include "px.h"

/* Top of the first thread's libOS stack: the program's registers. */
#pragma GCC visibility push(hidden) /* entry.S: addressed without a table */
extern struct exo_regs px_first_regs;
extern uint8_t px_traps[256]; /* entry.S */

void px_syscall_entry(void);
void px_upcall_entry(void);
void px_child_entry(void);
_Noreturn void px_thread_entry(void);
void px_direct_entry(void);
void px_site_entry(void);
#pragma GCC visibility pop

/* The program's registers by meaning. */
static inline uint64_t px_arch_result(const struct exo_regs *regs)
{
    return regs->rax;
}
static inline void px_arch_set_result(struct exo_regs *regs, int64_t result)
{
    regs->rax = (uint64_t)result;
}
/* What the instruction leaves in registers, which the fast way out does by itself. */
static inline void px_arch_called(struct exo_regs *regs)
{
    regs->rcx = regs->rip;
    regs->r11 = regs->rflags;
}
/* Until the result is set: which call it is. */
static inline uint64_t px_arch_number(const struct exo_regs *regs)
{
    return regs->rax;
}
static inline void px_arch_arguments(const struct exo_regs *regs, uint64_t to[6])
{
    const uint64_t arguments[6] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9};

    memcpy(to, arguments, sizeof(arguments));
}
static inline uint64_t px_arch_pc(const struct exo_regs *regs)
{
    return regs->rip;
}
static inline uint64_t px_arch_stack(const struct exo_regs *regs)
{
    return regs->rsp;
}
static inline void px_arch_set_stack(struct exo_regs *regs, uint64_t stack)
{
    regs->rsp = stack;
}
static inline uint64_t px_arch_place(const struct exo_upcall *frame)
{
    return frame->regs.rip;
}
/* The program's registers at an upcall. */
static inline void px_arch_take(const struct exo_upcall *frame)
{
    struct exo_regs *regs = px_thread()->regs;

    *regs = frame->regs;
    regs->ss = 0; /* entry.S: not by px_direct_entry */
}

/* Where a fork child starts if the upcall came before it had masked events; else 0. */
uint64_t px_arch_starting(const struct exo_upcall *frame);
/* If the upcall interrupted the last instructions of an exit, makes the frame the program's, as if the exit had been completed. */
void px_arch_finish_exit(struct exo_upcall *frame);
/* Rewritten system calls (rewrite.c). The instruction that regs stand behind has trapped many times. */
void px_rewrite_hot(const struct exo_regs *regs);
extern bool px_rewrite_off; /* --no-rewrite */
/* Text is as it was loaded, as far as somebody who looks at it can see; what has begun to jump may go on (a process that is traced). */
void px_rewrite_calm(void);
void px_rewrite_fork_child(void);
/* The program's registers, if they stand on the way from a rewritten call to the libOS: back before the call. */
void px_rewrite_unwind(struct exo_regs *regs);
/* Which signal an exception is. */
struct px_fault {
    int signo, code;
    int trapno;
    uint64_t address;
};
void px_arch_fault(const struct exo_upcall *frame, struct px_fault *fault);
bool px_arch_is_page_fault(const struct exo_upcall *frame);
bool px_arch_fault_writes(const struct exo_upcall *frame);
bool px_arch_fault_executes(const struct exo_upcall *frame);
/* In the guarded copy code: px_arch_guarded_fail makes it return what was copied so far. */
bool px_arch_guarded(const struct exo_upcall *frame);
void px_arch_guarded_fail(struct exo_upcall *frame);

/* The call is made again: number in RAX, and the instruction pointer back before the call. */
void px_arch_restart(struct exo_regs *regs, uint64_t number);
/* Makes the registers such that ring 3 can be continued with them: false if the instruction pointer is nowhere. */
bool px_arch_sanitize(struct exo_regs *regs);

/* Builds the frame for a handler and makes regs enter it. 0 or -EFAULT. */
int64_t px_arch_push_frame(struct exo_regs *regs, const struct px_siginfo *info, const struct px_action *action, uint64_t old_mask,
                           const struct px_altstack *altstack);
/* sigreturn: what px_arch_push_frame saved, as far as the program may choose it. 0 or -EFAULT (regs unchanged). */
int64_t px_arch_pop_frame(struct exo_regs *regs, uint64_t *mask, struct px_altstack *altstack);
/* Its siginfo has an address. */
bool px_signal_is_fault(const struct px_siginfo *info);
/* The last fault, for the frames that follow. */
void px_arch_note_fault(const struct exo_upcall *frame, uint64_t address);

/* FPU registers of the program, kept for a thread. The area is 16-byte aligned; NULL: libOS data, over a fork. */
void px_arch_fpu_keep(void *area);
void px_arch_fpu_give(const void *area);
/* Thread pointer of the program. */
uint64_t px_arch_tls(void);
void px_arch_set_tls(uint64_t base);
/* A new program begins: no thread pointer, FPU as after reset. */
void px_arch_exec(void);
/* State in which a forked child begins. */
void px_arch_child_state(struct exo_ctx_state *state, uint64_t tls);
/* One that goes on with these registers, and traps after one instruction. */
void px_arch_step_state(struct exo_ctx_state *state, const struct exo_regs *regs, uint64_t tls);
/* And a thread. */
void px_arch_thread_state(struct exo_ctx_state *state, const struct exo_regs *regs, uint64_t tls);

#endif
