/*
 * The frame that a signal handler finds on its stack: return address, ucontext, siginfo, and above them the FPU state, as the Linux ABI for x86-64 has
 * them (shared structures of the kernel's UAPI: sigcontext, ucontext, siginfo). On the way back the program's word is taken for nothing but its own
 * registers: segments and privileged flags are ours, and a broken FPU area is refused.
 */
#include "px_arch.h"

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trapno, oldmask, cr2;
    uint64_t fpstate;
    uint64_t reserved[8];
};
struct ucontext {
    uint64_t flags, link;
    struct px_altstack stack;
    struct sigcontext context;
    uint64_t mask;
};
struct frame {
    uint64_t return_address;
    struct ucontext uc;
    uint8_t info[128];
};
_Static_assert(sizeof(struct ucontext) == 304 && sizeof(struct frame) == 440, "rt_sigframe of x86-64");

#define UC_SIGCONTEXT_SS 2u
#define UC_STRICT_RESTORE_SS 4u
#define RED_ZONE 128u
#define FLAG_TF 0x100ul
#define FLAG_DF 0x400ul

/* FPU area: what FXSAVE writes. There is no XSAVE (docs/decisions/0005-no-xsave.md), as the flags of the ucontext say. */
#define FX_BYTES 512u
#define FX_ALIGN 16u
#define MXCSR_OFFSET 24u
#define MXCSR_ALLOWED 0xffffu

void px_arch_fxsave(void *area);
void px_arch_fxrstor(const void *area);

static _Alignas(FX_ALIGN) uint8_t area[FX_BYTES];

static void put32(uint8_t *at, uint32_t value)
{
    __builtin_memcpy(at, &value, sizeof(value));
}

static void put64(uint8_t *at, uint64_t value)
{
    __builtin_memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    __builtin_memcpy(&value, at, sizeof(value));
    return value;
}

void px_arch_fpu_keep(void *to)
{
    px_arch_fxsave(to ? to : area);
}

void px_arch_fpu_give(const void *from)
{
    px_arch_fxrstor(from ? from : area);
}

void px_arch_note_fault(const struct exo_upcall *frame, uint64_t address)
{
    struct px_thread *thread = px_thread();

    thread->fault.error = frame->error;
    thread->fault.trapno = frame->cause;
    if (px_arch_is_page_fault(frame))
        thread->fault.address = address;
}

static bool is_fault(int signo)
{
    return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL || signo == SIGTRAP;
}

bool px_signal_is_fault(const struct px_siginfo *info)
{
    return info->code > 0 && is_fault(info->signo) && info->code != SI_KERNEL;
}

void px_arch_siginfo_out(const struct px_siginfo *info, uint8_t to[128])
{
    memset(to, 0, 128);
    put32(to, (uint32_t)info->signo);
    put32(to + 4, (uint32_t)info->errno_);
    put32(to + 8, (uint32_t)info->code);
    if (info->code > 0 && is_fault(info->signo)) {
        put64(to + 16, info->value);
        if (info->signo == SIGBUS && info->code == BUS_MCEERR_AR)
            to[24] = 12; /* si_addr_lsb: a page */
        return;
    }
    if (info->code == SI_KERNEL)
        return;
    put32(to + 16, (uint32_t)info->pid);
    put32(to + 20, (uint32_t)info->uid);
    if (info->signo == SIGCHLD && info->code > 0)
        put32(to + 24, (uint32_t)info->status);
    else
        put64(to + 24, info->value);
}

static int64_t push_fpu(uint64_t to)
{
    px_arch_fxsave(area);
    return px_copy_out(to, area, FX_BYTES);
}

static int64_t pop_fpu(uint64_t from)
{
    if (from == 0)
        return 0; /* Linux resets the FPU here; the registers that the handler left serve as well */
    if (from % FX_ALIGN || px_copy_in(area, from, FX_BYTES) < 0)
        return -EFAULT;
    put32(area + MXCSR_OFFSET, get32(area + MXCSR_OFFSET) & MXCSR_ALLOWED);
    px_arch_fxrstor(area);
    return 0;
}

static void fill_context(struct sigcontext *to, const struct exo_regs *regs)
{
    const struct px_thread *thread = px_thread();
    uint16_t cs, ss;

    __asm__("mov %%cs, %0" : "=r"(cs));
    __asm__("mov %%ss, %0" : "=r"(ss));
    *to = (struct sigcontext){
        .r8 = regs->r8, .r9 = regs->r9, .r10 = regs->r10, .r11 = regs->r11, .r12 = regs->r12, .r13 = regs->r13, .r14 = regs->r14,
        .r15 = regs->r15, .rdi = regs->rdi, .rsi = regs->rsi, .rbp = regs->rbp, .rbx = regs->rbx, .rdx = regs->rdx, .rax = regs->rax,
        .rcx = regs->rcx, .rsp = regs->rsp, .rip = regs->rip, .rflags = regs->rflags, .cs = cs, .ss = ss,
        .error = thread->fault.error, .trapno = thread->fault.trapno, .cr2 = thread->fault.address,
    };
}

static bool on_altstack(const struct px_altstack *altstack, uint64_t sp)
{
    return sp - altstack->base < altstack->bytes;
}

int64_t px_arch_push_frame(struct exo_regs *regs, const struct px_siginfo *info, const struct px_action *action, uint64_t old_mask,
                           const struct px_altstack *altstack)
{
    uint64_t sp = regs->rsp - RED_ZONE, fpu;
    bool nested = on_altstack(altstack, regs->rsp);
    struct frame frame;

    if (!(action->flags & SA_RESTORER))
        return -EFAULT; /* there is no other way back on x86-64 */
    if (action->flags & SA_ONSTACK && altstack->bytes && !nested)
        sp = altstack->base + altstack->bytes;
    fpu = (sp - FX_BYTES) & ~63ul;
    sp = ((fpu - sizeof(frame)) & ~15ul) - 8;
    if (nested && !on_altstack(altstack, sp))
        return -EFAULT;
    frame.return_address = action->restorer;
    frame.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    frame.uc.link = 0;
    frame.uc.stack = *altstack;
    frame.uc.stack.flags = altstack->bytes == 0 ? SS_DISABLE : nested ? SS_ONSTACK : 0;
    fill_context(&frame.uc.context, regs);
    frame.uc.context.fpstate = fpu;
    frame.uc.context.oldmask = old_mask;
    frame.uc.mask = old_mask;
    px_arch_siginfo_out(info, frame.info);
    if (push_fpu(fpu) < 0 || px_copy_out(sp, &frame, sizeof(frame)) < 0)
        return -EFAULT;
    regs->rsp = sp;
    regs->rip = action->handler;
    regs->rdi = (uint64_t)info->signo;
    regs->rsi = sp + offsetof(struct frame, info);
    regs->rdx = sp + offsetof(struct frame, uc);
    regs->rax = 0;
    regs->rflags &= ~(FLAG_TF | FLAG_DF);
    return 0;
}


int64_t px_arch_frame_mask(uint64_t *mask)
{
    return px_copy_in(mask, px_regs()->rsp + offsetof(struct ucontext, mask), sizeof *mask);
}

int64_t px_arch_pop_frame(struct exo_regs *regs, uint64_t *mask, struct px_altstack *altstack)
{
    const struct sigcontext *from;
    struct ucontext uc;

    /* The handler's return has taken the return address off: the stack pointer is at the ucontext. */
    if (px_copy_in(&uc, regs->rsp, sizeof(uc)) < 0 || pop_fpu(uc.context.fpstate) < 0)
        return -EFAULT;
    from = &uc.context;
    *regs = (struct exo_regs){
        .r8 = from->r8, .r9 = from->r9, .r10 = from->r10, .r11 = from->r11, .r12 = from->r12, .r13 = from->r13, .r14 = from->r14,
        .r15 = from->r15, .rdi = from->rdi, .rsi = from->rsi, .rbp = from->rbp, .rbx = from->rbx, .rdx = from->rdx, .rax = from->rax,
        .rcx = from->rcx, .rsp = from->rsp, .rip = from->rip, .rflags = from->rflags,
    };
    *mask = uc.mask;
    *altstack = uc.stack;
    return 0;
}
