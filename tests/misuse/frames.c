/*
 * Signal frames that the program breaks before rt_sigreturn, and stacks for signals that are no stacks.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <ucontext.h>

#include "misuse.h"

enum damage {
    NOTHING,
    RIP_NOWHERE,
    RIP_KERNEL,
    RIP_NOT_CANONICAL,
    RSP_NOT_CANONICAL,
    SEGMENT_RING_0,
    SEGMENT_WRONG,
    FLAGS_IOPL,
    FLAGS_VM,
    FLAGS_TRAP,
    FLAGS_NO_INTERRUPTS,
    FPU_WILD,
    FPU_IN_LIBOS,
    FPU_MISALIGNED,
    FPU_RESERVED_BITS,
    MASK_EVERYTHING,
    DAMAGES
};

static enum damage damage;

static void break_frame(ucontext_t *uc)
{
    greg_t *regs = uc->uc_mcontext.gregs;

    switch (damage) {
    case NOTHING: case DAMAGES: break;
    case RIP_NOWHERE: regs[REG_RIP] = (greg_t)NOWHERE; break;
    case RIP_KERNEL: regs[REG_RIP] = (greg_t)KERNEL_HALF; break;
    case RIP_NOT_CANONICAL: regs[REG_RIP] = (greg_t)(1ul << 62); break;
    case RSP_NOT_CANONICAL: regs[REG_RSP] = (greg_t)(1ul << 62); break;
    case SEGMENT_RING_0: regs[REG_CSGSFS] = 0x0008; break;
    case SEGMENT_WRONG: regs[REG_CSGSFS] = 0xffff; break;
    case FLAGS_IOPL: regs[REG_EFL] |= 0x3000; break;
    case FLAGS_VM: regs[REG_EFL] |= 0x20000; break;
    case FLAGS_TRAP: regs[REG_EFL] |= 0x100; break;
    case FLAGS_NO_INTERRUPTS: regs[REG_EFL] &= ~0x200l; break;
    case FPU_WILD: uc->uc_mcontext.fpregs = (fpregset_t)NOWHERE; break;
    case FPU_IN_LIBOS: uc->uc_mcontext.fpregs = (fpregset_t)LIBOS_IMAGE; break;
    case FPU_MISALIGNED: uc->uc_mcontext.fpregs = (fpregset_t)((char *)uc->uc_mcontext.fpregs + 8); break;
    case FPU_RESERVED_BITS: memset(uc->uc_mcontext.fpregs, 0xff, 512); break;
    case MASK_EVERYTHING: memset(&uc->uc_sigmask, 0xff, 8); break;
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    break_frame(context);
}

static void on_trap(int number)
{
    (void)number;
}

/* 0: went on as if nothing were wrong; 1: with more power than before. */
static int go(void *argument)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    uint64_t flags, mask = 0;

    damage = (enum damage)(intptr_t)argument;
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGTRAP, on_trap);
    kill(getpid(), SIGUSR1);
    __asm__ volatile("pushfq; pop %0" : "=r"(flags));
    raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&mask, 8, 0, 0);
    if (mask & (1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1)))
        return 3;
    return flags & 0x3000 || !(flags & 0x200) ? 1 : 0;
}

/* rt_sigreturn when there is no frame. */
static int return_from_nowhere(void *argument)
{
    uintptr_t stack = (uintptr_t)argument;

    __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; hlt" : : "r"(stack) : "memory");
    return 0;
}

static int stack_too_small(void *unused)
{
    static char small[2048];
    stack_t stack = {.ss_sp = small, .ss_size = 100};

    (void)unused;
    if (sigaltstack(&stack, NULL) == 0 || errno != ENOMEM)
        return 1;
    stack.ss_size = sizeof small;
    stack.ss_flags = 0x1234;
    return sigaltstack(&stack, NULL) == 0 || errno != EINVAL ? 2 : 0;
}

static void use_stack(void *where)
{
    stack_t stack = {.ss_sp = where, .ss_size = 65536};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
}

static int stack_wild(void *where)
{
    use_stack(where);
    return 0;
}

static int stack_changed_while_on_it(void *unused);
static int change_result;

static void change_stack(int number)
{
    stack_t stack = {.ss_sp = (void *)NOWHERE, .ss_size = 65536};

    (void)number;
    change_result = sigaltstack(&stack, NULL) == 0 ? 1 : errno == EPERM ? 0 : 2;
}

static int stack_changed_while_on_it(void *unused)
{
    static char good[65536] __attribute__((aligned(16)));
    stack_t stack = {.ss_sp = good, .ss_size = sizeof good};
    struct sigaction action = {.sa_handler = change_stack, .sa_flags = SA_ONSTACK};

    (void)unused;
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    change_result = 9;
    kill(getpid(), SIGUSR1);
    return change_result;
}

static bool harmless(int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        printf("# wait status %#x\n", (unsigned)status);
    return exited_with(status, 0) || killed_by(status, SIGSEGV) || killed_by(status, SIGBUS) || killed_by(status, SIGTRAP);
}

int main(void)
{
    static const char *const names[DAMAGES] = {
        "a frame as it came",
        "rip where nothing is",
        "rip in the kernel's half",
        "rip not canonical",
        "rsp not canonical",
        "a ring-0 code segment",
        "a code segment that is none",
        "flags with I/O privilege",
        "flags of virtual 8086 mode",
        "flags that trap after each instruction",
        "flags without interrupts",
        "FPU state where nothing is",
        "FPU state in the libOS",
        "FPU state not aligned",
        "FPU state with reserved bits",
        "a mask of all signals",
    };
    uintptr_t stacks[] = {NOWHERE, 0, KERNEL_HALF, 1ul << 62, LIBOS_IMAGE, LIBOS_IMAGE + 0xf0000, LIBOS_WINDOW};

    CASE(names[NOTHING], exited_with(in_child(go, (void *)NOTHING), 0));
    for (intptr_t i = 1; i < DAMAGES; i++)
        CASE(names[i], harmless(in_child(go, (void *)i)));
    CASE("rip where nothing is, and it dies of it", killed_by(in_child(go, (void *)RIP_NOWHERE), SIGSEGV));
    for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        CASE("rt_sigreturn without a frame", killed_by(in_child(return_from_nowhere, (void *)stacks[i]), SIGSEGV));
        CASE("a signal stack that is none", killed_by(in_child(stack_wild, (void *)stacks[i]), SIGSEGV));
    }
    CASE("a signal stack that is too small, or has odd flags", exited_with(in_child(stack_too_small, NULL), 0));
    CASE("a signal stack changed while in use", exited_with(in_child(stack_changed_while_on_it, NULL), 0));
    return tap_finish();
}
