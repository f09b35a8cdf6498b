/*
 * What a program does to itself: bad accesses, bad instructions, lost stacks. The signal must say what happened, and where;
 * without a handler the process dies of it.
 * guest-test: --timeout 80
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "misuse.h"

#define STACK_BYTES 65536

/* What the handler found. */
static struct {
    int number, code;
    uintptr_t address, rip;
    long trap, error, cr2;
} found;
static sigjmp_buf back;
static char signal_stack[STACK_BYTES] __attribute__((aligned(16)));

static void note(int number, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;

    found.number = number;
    found.code = info->si_code;
    found.address = (uintptr_t)info->si_addr;
    found.rip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    found.trap = uc->uc_mcontext.gregs[REG_TRAPNO];
    found.error = uc->uc_mcontext.gregs[REG_ERR];
    found.cr2 = uc->uc_mcontext.gregs[REG_CR2];
    siglongjmp(back, 1);
}

static void handle_all(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    memset(&found, 0, sizeof found);
}

/* Runs the body under the handler; true when a signal came. */
static bool __attribute__((noinline)) faults(void (*body)(uintptr_t), uintptr_t argument)
{
    handle_all();
    if (sigsetjmp(back, 1) != 0)
        return true;
    body(argument);
    return false;
}

static bool says(int number, int code, uintptr_t address)
{
    if (found.number == number && found.code == code && found.address == address)
        return true;
    printf("# signal %d code %d address %#lx\n", found.number, found.code, (unsigned long)found.address);
    return false;
}

static void read_byte(uintptr_t address) { (void)*(volatile char *)address; }
static void write_byte(uintptr_t address) { *(volatile char *)address = 1; }
static void jump_to(uintptr_t address) { ((void (*)(void))address)(); }

/* Error code bits of a page fault: present 1, write 2, user 4, fetch 16. */
static void test_addresses(void)
{
    char *only_read = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *data = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CASE("reading address 0", faults(read_byte, 0) && says(SIGSEGV, SEGV_MAPERR, 0));
    CASE("the trap of that", found.trap == 14 && found.cr2 == 0 && (found.error & 7) == 4);
    CASE("reading where nothing is", faults(read_byte, NOWHERE) && says(SIGSEGV, SEGV_MAPERR, NOWHERE));
    CASE("writing where nothing is", faults(write_byte, NOWHERE + 5) && says(SIGSEGV, SEGV_MAPERR, NOWHERE + 5));
    CASE("the trap of that", found.trap == 14 && found.cr2 == (long)(NOWHERE + 5) && (found.error & 7) == 6);
    CASE("writing a read-only page", faults(write_byte, (uintptr_t)only_read + 9) && says(SIGSEGV, SEGV_ACCERR, (uintptr_t)only_read + 9));
    CASE("reading a page without access", faults(read_byte, (uintptr_t)none) && says(SIGSEGV, SEGV_ACCERR, (uintptr_t)none));
    CASE("writing program text", faults(write_byte, (uintptr_t)read_byte) && says(SIGSEGV, SEGV_ACCERR, (uintptr_t)read_byte));
    CASE("jumping to nowhere", faults(jump_to, NOWHERE) && says(SIGSEGV, SEGV_MAPERR, NOWHERE) && found.rip == NOWHERE);
    CASE("jumping to address 0", faults(jump_to, 0) && says(SIGSEGV, SEGV_MAPERR, 0) && found.rip == 0);
    data[0] = (char)0xc3; /* ret */
    CASE("executing data", faults(jump_to, (uintptr_t)data) && says(SIGSEGV, SEGV_ACCERR, (uintptr_t)data));
    CASE("the trap of that", found.rip == (uintptr_t)data && found.error & 16);
    CASE("a non-canonical address", faults(read_byte, 1ul << 63) && says(SIGSEGV, SI_KERNEL, 0) && found.trap == 13);
    CASE("jumping to a non-canonical address", faults(jump_to, 1ul << 62) && found.number == SIGSEGV && found.code == SI_KERNEL);
    munmap(data, PAGE);
    CASE("reading what was unmapped", faults(read_byte, (uintptr_t)data) && says(SIGSEGV, SEGV_MAPERR, (uintptr_t)data));
}

/* Addresses that are the system's own. Linux has nothing at the libOS's place; the answer must look the same. */
static void test_system_addresses(void)
{
    static const uintptr_t places[] = {KERNEL_HALF, 0xffff800000000000ul, 0xffffff8000000000ul, 0xfffffffffffff000ul};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        CASE("reading the kernel's half", faults(read_byte, places[i]) && found.number == SIGSEGV);
        CASE("writing the kernel's half", faults(write_byte, places[i]) && found.number == SIGSEGV);
    }
    CASE("jumping into the kernel's half", faults(jump_to, KERNEL_HALF) && found.number == SIGSEGV);
    CASE("writing the last user page", faults(write_byte, 0x7fffffffe000ul) || found.number == 0);
}

/* The instructions are functions of their own: what they do to the stack is gone with the frame. */
static void divide(uintptr_t by)
{
    __asm__ volatile("divl %1" : : "a"(1), "r"((unsigned)by), "d"(0) : "cc");
}
static void undefined(uintptr_t unused) { (void)unused; __asm__ volatile("ud2"); }
static void breakpoint(uintptr_t unused) { (void)unused; __asm__ volatile("int3"); }
static void halt(uintptr_t unused) { (void)unused; __asm__ volatile("hlt"); }
static void no_interrupts(uintptr_t unused) { (void)unused; __asm__ volatile("cli"); }
static void read_cr3(uintptr_t unused) { __asm__ volatile("mov %%cr3, %0" : "=r"(unused)); }
static void write_cr3(uintptr_t value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value)); }
static void read_port(uintptr_t port) { __asm__ volatile("inb %%dx, %%al" : : "d"(port) : "rax"); }
static void write_port(uintptr_t port) { __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(port)); }
static void write_msr(uintptr_t number) { __asm__ volatile("wrmsr" : : "c"(number), "a"(0), "d"(0)); }
static void load_gdt(uintptr_t from) { __asm__ volatile("lgdt (%0)" : : "r"(from)); }
static void forget_page(uintptr_t address) { __asm__ volatile("invlpg (%0)" : : "r"(address)); }
static void closed_gate(uintptr_t unused) { (void)unused; __asm__ volatile("int $0x20"); }
static void page_fault_gate(uintptr_t unused) { (void)unused; __asm__ volatile("int $14"); }
static void load_segment(uintptr_t selector) { __asm__ volatile("mov %0, %%ds" : : "r"(selector)); }
static void return_to_ring_0(uintptr_t rip)
{
    __asm__ volatile("lea -256(%%rsp), %%rsp; mov %%rsp, %%rcx; pushq $0x10; pushq %%rcx; pushfq; pushq $0x8; pushq %0; iretq"
                     :
                     : "r"(rip)
                     : "rcx", "memory");
}

static void test_instructions(void)
{
    CASE("division by zero", faults(divide, 0) && says(SIGFPE, FPE_INTDIV, found.rip) && found.trap == 0);
    CASE("an undefined instruction", faults(undefined, 0) && says(SIGILL, ILL_ILLOPN, found.rip) && found.trap == 6);
    CASE("a breakpoint", faults(breakpoint, 0) && says(SIGTRAP, SI_KERNEL, 0) && found.trap == 3);
    CASE("hlt", faults(halt, 0) && says(SIGSEGV, SI_KERNEL, 0) && found.trap == 13);
    CASE("cli", faults(no_interrupts, 0) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("reading cr3", faults(read_cr3, 0) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("writing cr3", faults(write_cr3, 0) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("reading a port", faults(read_port, 0x60) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("writing the power-off port", faults(write_port, 0xf4) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("wrmsr", faults(write_msr, 0xc0000082) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("lgdt", faults(load_gdt, (uintptr_t)signal_stack) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("invlpg", faults(forget_page, (uintptr_t)signal_stack) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("int of a gate that is not open", faults(closed_gate, 0) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("int 14, the page fault's gate", faults(page_fault_gate, 0) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("loading a kernel segment", faults(load_segment, 0x10) && says(SIGSEGV, SI_KERNEL, 0));
    CASE("iret to ring 0", faults(return_to_ring_0, 0) && found.number == SIGSEGV);
}

/* Each way to die without a handler. */
static int die(void *argument)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    switch ((intptr_t)argument) {
    case 0:
        write_byte(0);
        break;
    case 1:
        __asm__ volatile("ud2");
        break;
    case 2:
        __asm__ volatile("int3");
        break;
    case 3:
        __asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0));
        break;
    case 4: /* no stack to put a frame on */
        signal(SIGSEGV, SIG_DFL);
        __asm__ volatile("mov $8, %rsp; push %rax");
        break;
    case 5: /* a handler, and no stack for it */
        signal(SIGUSR1, (void (*)(int))(uintptr_t)read_byte);
        __asm__ volatile("mov %0, %%rsp; mov %1, %%edi; mov %2, %%esi; mov %3, %%eax; syscall; ud2"
                         :
                         : "r"(NOWHERE), "r"(getpid()), "i"(SIGUSR1), "i"(SYS_kill)
                         : "memory");
        break;
    case 6: /* SIGSEGV is blocked when it comes */
        raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&(uint64_t){1ul << (SIGSEGV - 1)}, 0, 8, 0, 0);
        write_byte(0);
        break;
    case 7: /* SIGSEGV is ignored when it comes */
        signal(SIGSEGV, SIG_IGN);
        write_byte(0);
        break;
    case 8: /* the handler faults itself */
        signal(SIGSEGV, (void (*)(int))NOWHERE);
        write_byte(0);
        break;
    }
    return 0;
}

static void default_all(void)
{
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL);
}

static void test_deaths(void)
{
    static const struct {
        const char *name;
        int number;
    } deaths[] = {
        {"dying of a bad write", SIGSEGV},
        {"dying of an undefined instruction", SIGILL},
        {"dying of a breakpoint", SIGTRAP},
        {"dying of a division", SIGFPE},
        {"dying without a stack", SIGSEGV},
        {"dying for want of a stack for the handler", SIGSEGV},
        {"dying of a blocked SIGSEGV", SIGSEGV},
        {"dying of an ignored SIGSEGV", SIGSEGV},
        {"dying of a handler that faults", SIGSEGV},
    };

    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        CASE(deaths[i].name, killed_by(in_child(die, (void *)(intptr_t)i), deaths[i].number));
}

static int __attribute__((noinline)) recurse(int depth)
{
    volatile char room[512];

    room[0] = (char)depth;
    return depth == 0 ? 0 : recurse(depth + 1) + room[0];
}

static void recurse_forever(uintptr_t unused)
{
    (void)unused;
    recurse(1);
}

static int overflow(void *argument)
{
    struct rlimit limit = {256 * 1024, 256 * 1024};

    setrlimit(RLIMIT_STACK, &limit);
    if (argument) {
        if (faults(recurse_forever, 0) && found.number == SIGSEGV && found.code == SEGV_MAPERR)
            return 7;
        return 1;
    }
    return recurse(1);
}

static volatile sig_atomic_t depth;

static void nested(int number)
{
    if (++depth < 200)
        kill(getpid(), number);
}

static int deep_handlers(void *unused)
{
    struct sigaction action = {.sa_handler = nested, .sa_flags = SA_NODEFER};

    (void)unused;
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    return depth == 200 ? 0 : 1;
}

static void endless(int number)
{
    kill(getpid(), number);
}

static int endless_handlers(void *unused)
{
    struct sigaction action = {.sa_handler = endless, .sa_flags = SA_NODEFER};
    struct rlimit limit = {256 * 1024, 256 * 1024};

    (void)unused;
    setrlimit(RLIMIT_STACK, &limit);
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    return 0;
}

static void test_stacks(void)
{
    CASE("endless recursion kills", killed_by(in_child(overflow, NULL), SIGSEGV));
    CASE("endless recursion, seen on another stack", exited_with(in_child(overflow, &found), 7));
    CASE("handlers 200 deep come back", exited_with(in_child(deep_handlers, NULL), 0));
    CASE("endless handlers kill", killed_by(in_child(endless_handlers, NULL), SIGSEGV));
}

int main(void)
{
    test_addresses();
    test_system_addresses();
    test_instructions();
    default_all();
    test_deaths();
    test_stacks();
    return tap_finish();
}
