/*
 * Signals as Linux delivers them: frames, registers, masks, restarts, faults, alternate stacks, timers, and frames that a program has broken.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "tap.h"

#define AT_EXO_CALL 0x65786f

static volatile sig_atomic_t count, last_code;
static volatile uintptr_t last_address;
static volatile long last_trapno, last_error, last_cr2;
static sigjmp_buf back;

static void counter(int signo)
{
    (void)signo;
    count++;
}

static void catcher(int signo, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;

    (void)signo;
    last_code = info->si_code;
    last_address = (uintptr_t)info->si_addr;
    last_trapno = uc->uc_mcontext.gregs[REG_TRAPNO];
    last_error = uc->uc_mcontext.gregs[REG_ERR];
    last_cr2 = uc->uc_mcontext.gregs[REG_CR2];
    siglongjmp(back, 1);
}

static void install(int signo, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaction(signo, &action, NULL);
}

static void install_info(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};

    sigaction(signo, &action, NULL);
}

/* All registers that a system call or a signal must leave alone, and the flags. */
static int registers_survive(long number, long a, long b)
{
    long good;

    __asm__ volatile("push %%rbp\n\t"
                     "mov $0x1111, %%rbx\n\tmov $0x2222, %%rbp\n\tmov $0x3333, %%r12\n\tmov $0x4444, %%r13\n\t"
                     "mov $0x5555, %%r14\n\tmov $0x6666, %%r15\n\tmov $0x7777, %%rdx\n\tmov $0x8888, %%r10\n\t"
                     "mov $0x9999, %%r8\n\tmov $0xaaaa, %%r9\n\tstd\n\t"
                     "syscall\n\t"
                     "pushfq\n\tcld\n\tpop %%rax\n\tand $0x400, %%eax\n\tcmp $0x400, %%eax\n\tjne 1f\n\t"
                     "cmp $0x1111, %%rbx\n\tjne 1f\n\tcmp $0x2222, %%rbp\n\tjne 1f\n\tcmp $0x3333, %%r12\n\tjne 1f\n\t"
                     "cmp $0x4444, %%r13\n\tjne 1f\n\tcmp $0x5555, %%r14\n\tjne 1f\n\tcmp $0x6666, %%r15\n\tjne 1f\n\t"
                     "cmp $0x7777, %%rdx\n\tjne 1f\n\tcmp $0x8888, %%r10\n\tjne 1f\n\tcmp $0x9999, %%r8\n\tjne 1f\n\t"
                     "cmp $0xaaaa, %%r9\n\tjne 1f\n\t"
                     "pop %%rbp\n\tmov $1, %%eax\n\tjmp 2f\n1:\tpop %%rbp\n\txor %%eax, %%eax\n2:"
                     : "=a"(good)
                     : "0"(number), "D"(a), "S"(b)
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return (int)good;
}

/* The same through the libOS's direct entry, where there is one: the registers that a function call keeps. */
static int direct_call_survives(unsigned long entry)
{
    long good;

    __asm__ volatile("push %%rbp\n\tmov %1, %%r11\n\t"
                     "mov $0x1111, %%rbx\n\tmov $0x3333, %%r12\n\tmov $0x6666, %%r15\n\tmov $0x7777, %%rdx\n\tmov $0x8888, %%r10\n\t"
                     "mov $39, %%eax\n\tcall *%%r11\n\t"
                     "test %%rax, %%rax\n\tjle 1f\n\tcmp $0x1111, %%rbx\n\tjne 1f\n\tcmp $0x3333, %%r12\n\tjne 1f\n\t"
                     "cmp $0x6666, %%r15\n\tjne 1f\n\t"
                     "pop %%rbp\n\tmov $1, %%eax\n\tjmp 2f\n1:\tpop %%rbp\n\txor %%eax, %%eax\n2:"
                     : "=a"(good)
                     : "D"(entry)
                     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return (int)good;
}

/* Timer signals at every moment: on the way in, inside, on the way out, and in page faults. */
static void test_storm(void)
{
    struct itimerval often = {.it_value = {.tv_usec = 50}, .it_interval = {.tv_usec = 50}}, none = {0};
    unsigned long entry = getauxval(AT_EXO_CALL);
    int good = 1, direct = 1, faults = 1;
    time_t end = time(NULL) + 20;

    install(SIGALRM, counter, SA_RESTART);
    count = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    while (good && direct && faults && count < 2000 && time(NULL) < end) {
        char *pages = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        for (int i = 0; i < 64; i++) {
            good = good && registers_survive(39, 0, 0);
            direct = direct && (!entry || direct_call_survives(entry));
            pages[i * 4096] = (char)i;
            faults = faults && pages[i * 4096] == (char)i;
        }
        munmap(pages, 64 * 4096);
    }
    setitimer(ITIMER_REAL, &none, NULL);
    CASE("a storm of signals: system calls keep their registers", good);
    CASE("a storm of signals: direct calls keep their registers", direct);
    CASE("a storm of signals: page faults", faults);
    CASE("the storm was one", count >= 100);
}

static void test_registers(void)
{
    CASE("getpid leaves registers and flags alone", registers_survive(39, 0, 0));
    install(SIGUSR1, counter, 0);
    count = 0;
    CASE("a handler leaves registers and flags alone", registers_survive(62, getpid(), SIGUSR1));
    CASE("the handler ran", count == 1);
}

static void test_self(void)
{
    sigset_t set, old;

    count = 0;
    install(SIGUSR1, counter, 0);
    raise(SIGUSR1);
    CASE("raise is delivered before it returns", count == 1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    CASE("a blocked signal waits", count == 1);
    sigpending(&old);
    CASE("and is pending", sigismember(&old, SIGUSR1) == 1);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CASE("and comes once", count == 2);
    CASE("SIGKILL cannot be caught", sigaction(SIGKILL, &(struct sigaction){.sa_handler = counter}, NULL) == -1 && errno == EINVAL);
    CASE("sigaction of signal 65", sigaction(65, NULL, NULL) == -1);
}

static int nested_mask;
static void nested(int signo)
{
    sigset_t now;

    sigprocmask(SIG_BLOCK, NULL, &now);
    nested_mask = sigismember(&now, signo) && sigismember(&now, SIGUSR2);
    count++;
}

static void test_masks(void)
{
    struct sigaction action = {.sa_handler = nested}, old;
    sigset_t now;

    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    CASE("the handler runs with its mask", nested_mask);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CASE("which ends with it", !sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
    install(SIGUSR1, counter, SA_RESETHAND);
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    CASE("SA_RESETHAND", old.sa_handler == SIG_DFL);
}

static void test_faults(void)
{
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    install_info(SIGSEGV, catcher, 0);
    install_info(SIGFPE, catcher, 0);
    install_info(SIGILL, catcher, 0);
    install_info(SIGTRAP, catcher, 0);
    if (!sigsetjmp(back, 1))
        *(volatile int *)0x1234 = 1;
    CASE("a write to nowhere: SEGV_MAPERR and its address", last_code == SEGV_MAPERR && last_address == 0x1234);
    CASE("page fault: number, error code, CR2", last_trapno == 14 && last_error == 6 && last_cr2 == 0x1234);
    if (!sigsetjmp(back, 1))
        *(volatile char *)page = 1;
    CASE("a write to a read-only page: SEGV_ACCERR", last_code == SEGV_ACCERR && last_address == (uintptr_t)page);
    if (!sigsetjmp(back, 1))
        (void)*(volatile int *)0x8000000000000000ul;
    CASE("a non-canonical address: SI_KERNEL, 0, trap 13", last_code == SI_KERNEL && last_address == 0 && last_trapno == 13);
    if (!sigsetjmp(back, 1))
        ((void (*)(void))0x5000)();
    CASE("a jump to nowhere", last_code == SEGV_MAPERR && last_address == 0x5000 && last_trapno == 14);
    if (!sigsetjmp(back, 1))
        __asm__ volatile("xor %%edx, %%edx\n\tmov $1, %%eax\n\tdiv %%edx" : : : "rax", "rdx");
    CASE("a division by zero", last_code == FPE_INTDIV && last_trapno == 0);
    if (!sigsetjmp(back, 1))
        __asm__ volatile("ud2");
    CASE("an illegal instruction", last_code == ILL_ILLOPN && last_trapno == 6);
    if (!sigsetjmp(back, 1))
        __asm__ volatile("int3");
    CASE("a breakpoint", last_trapno == 3);
    if (!sigsetjmp(back, 1))
        __asm__ volatile("hlt");
    CASE("a privileged instruction", last_code == SI_KERNEL && last_trapno == 13);
    if (!sigsetjmp(back, 1))
        (void)*(volatile char *)0x7ffff0000000ul; /* in ExoV6 the libOS is there; on Linux nothing, or a library */
    munmap(page, 4096);
}

static char alternate[32768];
static volatile int on_alternate;
static void check_stack(int signo)
{
    char here;
    stack_t now;

    (void)signo;
    sigaltstack(NULL, &now);
    on_alternate = &here >= alternate && &here < alternate + sizeof(alternate) && now.ss_flags == SS_ONSTACK;
}

static int overflow(int depth)
{
    volatile char room[4096];

    room[0] = (char)depth;
    return depth > 1000000 ? 0 : overflow(depth + 1) + room[0];
}

static void overflowed(int signo)
{
    (void)signo;
    siglongjmp(back, 1);
}

static void test_alternate_stack(void)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, small = {.ss_sp = alternate, .ss_size = 100}, old;

    CASE("a small alternate stack is refused", sigaltstack(&small, NULL) == -1 && errno == ENOMEM);
    CASE("none at first", sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
    sigaltstack(&stack, NULL);
    install(SIGUSR1, check_stack, SA_ONSTACK);
    raise(SIGUSR1);
    CASE("the handler is on the alternate stack", on_alternate);
    install(SIGUSR1, check_stack, 0);
    raise(SIGUSR1);
    CASE("and only with SA_ONSTACK", !on_alternate);
    install(SIGSEGV, overflowed, SA_ONSTACK);
    count = 0;
    if (!sigsetjmp(back, 1))
        overflow(0);
    else
        count = 1;
    CASE("a stack overflow is survived on it", count == 1);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static void test_restart(void)
{
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    int ends[2];
    char byte = 0;
    pid_t child;
    ssize_t got;

    install(SIGALRM, counter, 0);
    if (pipe(ends) < 0)
        return;
    count = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    got = read(ends[0], &byte, 1);
    CASE("read is interrupted without SA_RESTART", got == -1 && errno == EINTR && count == 1);
    install(SIGALRM, counter, SA_RESTART);
    child = fork();
    if (child == 0) {
        usleep(120000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    setitimer(ITIMER_REAL, &soon, NULL);
    got = read(ends[0], &byte, 1);
    CASE("and goes on with it", got == 1 && byte == 'x' && count == 2);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void test_timer_while_spinning(void)
{
    struct itimerval often = {.it_value = {.tv_usec = 5000}, .it_interval = {.tv_usec = 5000}}, none = {0}, left;
    volatile unsigned long spins = 0;
    time_t end = time(NULL) + 20;

    install(SIGALRM, counter, 0);
    count = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    while (count < 5 && (++spins % 1000000 || time(NULL) < end))
        ;
    setitimer(ITIMER_REAL, &none, &left);
    CASE("an interval timer interrupts a spinning program", count >= 5);
    CASE("and tells its interval", left.it_interval.tv_usec == 5000);
    CASE("alarm tells what is left", alarm(100) == 0 && alarm(0) >= 99);
}

/* Spins until the handler has run `times`; the limit is processor time, of which a loaded machine takes longer. */
static int spin_until(int times)
{
    volatile unsigned long spins = 0;
    clock_t end = clock() + 5 * CLOCKS_PER_SEC;

    while (count < times && (++spins % 100000 || clock() < end))
        ;
    return count >= times;
}

static void test_processor_timers(void)
{
    struct itimerval soon = {.it_value = {.tv_usec = 20000}}, left;
    struct rlimit limit = {.rlim_cur = 1, .rlim_max = 2};
    clock_t before;
    pid_t child;
    int status;

    install(SIGVTALRM, counter, 0);
    install(SIGPROF, counter, 0);
    for (int which = ITIMER_VIRTUAL; which <= ITIMER_PROF; which++) {
        count = 0;
        before = clock();
        CASE("a timer of processor time is set", setitimer(which, &soon, NULL) == 0);
        usleep(60000);
        CASE("and does not run while its process sleeps", count == 0 || clock() - before >= 20000);
        CASE("it does while it runs", spin_until(1));
        CASE("once", getitimer(which, &left) == 0 && left.it_value.tv_usec == 0 && left.it_value.tv_sec == 0);
    }
    for (int ignored = 0; ignored < 2; ignored++) {
        child = fork();
        if (child == 0) {
            signal(SIGXCPU, ignored ? SIG_IGN : SIG_DFL);
            setrlimit(RLIMIT_CPU, &limit);
            for (;;)
                ;
        }
        waitpid(child, &status, 0);
        CASE("the limit of processor time ends a process", WIFSIGNALED(status) && WTERMSIG(status) == (ignored ? SIGKILL : SIGXCPU));
    }
}

static siginfo_t timer_info;

static void on_timer(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    timer_info = *info;
    count++;
}

static void test_timer_create(void)
{
    struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
    struct itimerspec often = {{0, 5000000}, {0, 5000000}}, none = {0}, now;
    struct timespec at_once = {0};
    timer_t timer, second;
    sigset_t set;
    siginfo_t info;

    sigaction(SIGUSR1, &action, NULL);
    count = 0;
    CASE("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CASE("timer_settime", timer_settime(timer, 0, &often, NULL) == 0);
    while (count < 3)
        pause();
    CASE("its signal says what it is", timer_info.si_code == SI_TIMER && timer_info.si_value.sival_int == 42);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigtimedwait(&set, &info, &at_once);
    usleep(60000);
    CASE("one signal for many expiries", sigwaitinfo(&set, &info) == SIGUSR1 && timer_getoverrun(timer) >= 2);
    CASE("stopped", timer_settime(timer, 0, &none, &now) == 0 && now.it_interval.tv_nsec == 5000000);
    CASE("nothing is left of it", timer_gettime(timer, &now) == 0 && now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CASE("two at once", timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &second) == 0 && second != timer);
    count = 0;
    timer_settime(second, 0, &often, NULL);
    CASE("one of processor time", spin_until(2));
    CASE("timer_delete", timer_delete(second) == 0 && timer_delete(timer) == 0);
    CASE("not twice", timer_delete(timer) != 0); /* musl gives the kernel's -EINVAL as it is */
    CASE("a clock that is not there", timer_create(99, &event, &timer) == -1 && errno == EINVAL);
    event.sigev_signo = 99;
    CASE("a signal that is not there", timer_create(CLOCK_REALTIME, &event, &timer) == -1 && errno == EINVAL);
    often.it_value.tv_nsec = 1000000000;
    timer_create(CLOCK_REALTIME, NULL, &timer);
    CASE("a time that is none", timer_settime(timer, 0, &often, NULL) == -1 && errno == EINVAL);
    timer_delete(timer);
}

static void test_suspend_and_wait(void)
{
    sigset_t all, none, set, now;
    siginfo_t info;
    struct timespec zero = {0}, shortly = {.tv_nsec = 10000000};
    union sigval value = {.sival_int = 42};
    pid_t child, parent = getpid();

    sigfillset(&all);
    sigemptyset(&none);
    install(SIGUSR1, counter, 0);
    sigprocmask(SIG_SETMASK, &all, NULL);
    count = 0;
    kill(getpid(), SIGUSR1);
    CASE("sigsuspend takes the waiting signal", sigsuspend(&none) == -1 && errno == EINTR && count == 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CASE("and gives the mask back", sigismember(&now, SIGUSR1) == 1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    CASE("sigtimedwait with nothing there", sigtimedwait(&set, &info, &zero) == -1 && errno == EAGAIN);
    CASE("sigtimedwait's time passes", sigtimedwait(&set, &info, &shortly) == -1 && errno == EAGAIN);
    sigqueue(getpid(), SIGRTMIN, value);
    value.sival_int = 43;
    sigqueue(getpid(), SIGRTMIN, value);
    CASE("queued signals come with their values", sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 42 && info.si_code == SI_QUEUE);
    CASE("in their order", sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 43);
    child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(kill(parent, SIGUSR1) != 0);
    }
    CASE("sigwaitinfo sleeps until it comes", sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == child && info.si_code == SI_USER);
    sigprocmask(SIG_SETMASK, &none, NULL);
    waitpid(child, NULL, 0);
}

static bool is_as_told(const siginfo_t *info, int signo, pid_t sender)
{
    return info->si_signo == signo && info->si_errno == EAGAIN && info->si_code == -10 && info->si_value.sival_int == 7 && info->si_pid == sender &&
           info->si_uid == getuid();
}

/* What a sender says of his signal: to a process, to oneself, by queues and not. */
static void test_described(void)
{
    const int numbers[] = {SIGUSR1, SIGRTMIN + 3};
    siginfo_t told = {.si_errno = EAGAIN, .si_code = -10}, got;
    sigset_t set, none;
    bool right = true;
    pid_t child, parent = getpid();
    int status;

    told.si_pid = parent, told.si_uid = getuid(), told.si_value.sival_int = 7;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, numbers[0]), sigaddset(&set, numbers[1]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 2; i++) {
        right = right && syscall(SYS_rt_sigqueueinfo, parent, numbers[i], &told) == 0 && sigwaitinfo(&set, &got) == numbers[i] &&
                is_as_told(&got, numbers[i], parent);
        right = right && syscall(SYS_rt_tgsigqueueinfo, parent, parent, numbers[i], &told) == 0 && sigwaitinfo(&set, &got) == numbers[i] &&
                is_as_told(&got, numbers[i], parent);
    }
    CASE("a signal to oneself as one describes it", right);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 3; i++)
            if (sigwaitinfo(&set, &got) != numbers[i % 2] || !is_as_told(&got, numbers[i % 2], parent) || kill(parent, SIGUSR1) != 0)
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < 2; i++)
        right = right && syscall(SYS_rt_sigqueueinfo, child, numbers[i], &told) == 0 && sigwaitinfo(&set, &got) == SIGUSR1;
    right = right && syscall(SYS_rt_tgsigqueueinfo, child, child, numbers[0], &told) == 0 && sigwaitinfo(&set, &got) == SIGUSR1;
    CASE("to another process", waitpid(child, &status, 0) == child && status == 0 && right);
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    told.si_code = SI_USER;
    CASE("not as if kill had sent it", syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &told) == -1 && errno == EPERM);
    told.si_code = SI_TKILL;
    CASE("nor tkill", syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &told) == -1 && errno == EPERM);
    told.si_code = SI_KERNEL;
    CASE("nor the kernel", syscall(SYS_rt_tgsigqueueinfo, child, child, SIGUSR1, &told) == -1 && errno == EPERM);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void test_floating_point(void)
{
    double before = 1.5, after;

    install(SIGUSR1, counter, 0);
    __asm__ volatile("movsd %1, %%xmm9\n\tmov $62, %%eax\n\tsyscall\n\tmovsd %%xmm9, %0"
                     : "=m"(after)
                     : "m"(before), "D"((long)getpid()), "S"((long)SIGUSR1)
                     : "rax", "rcx", "r11", "xmm9", "memory");
    CASE("vector registers survive a handler", after == 1.5);
}

/* A child breaks its own frame; it must die of it or live on, but never hang or take the system along. */
static volatile int how;
static void breaker(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signo, (void)info;
    switch (how) {
    case 0: uc->uc_mcontext.gregs[REG_RIP] = (greg_t)0x8000000000000000ul; break;
    case 1: uc->uc_mcontext.gregs[REG_RIP] = (greg_t)0xffffffff80000000ul; break;
    case 2: uc->uc_mcontext.gregs[REG_EFL] = -1; break;
    case 3: uc->uc_mcontext.gregs[REG_CSGSFS] = 0; break;
    case 4: uc->uc_mcontext.fpregs = (void *)1; break;
    case 5: memset(uc->uc_mcontext.fpregs, 0xff, 512); break;
    case 6: memset(uc, 0xff, sizeof(*uc)); break;
    case 7: uc->uc_mcontext.fpregs = (void *)0x7ffffffff000ul; break;
    case 8: uc->uc_mcontext.gregs[REG_RSP] = 0; break;
    default: break;
    }
}

static void test_broken_frames(void)
{
    for (how = 0; how <= 8; how++) {
        char name[64];
        int status = -1;
        pid_t child = fork();

        if (child == 0) {
            alarm(5);
            for (int signo = 1; signo < 32; signo++)
                install(signo, SIG_DFL, 0);
            install_info(SIGUSR1, breaker, 0);
            syscall(62, getpid(), SIGUSR1);
            _exit(0);
        }
        waitpid(child, &status, 0);
        snprintf(name, sizeof(name), "a broken frame of kind %d", how);
        CASE(name, (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                       (WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGTRAP || WTERMSIG(status) == SIGBUS)));
    }
}

static void test_sigreturn_from_nowhere(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        install(SIGSEGV, SIG_DFL, 0);
        __asm__ volatile("mov $16, %%rsp\n\tmov $15, %%eax\n\tsyscall\n\tud2" : : : "memory");
    }
    waitpid(child, &status, 0);
    CASE("sigreturn without a frame: SIGSEGV", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    child = fork();
    if (child == 0) {
        install(SIGUSR1, counter, 0);
        install(SIGSEGV, SIG_DFL, 0);
        __asm__ volatile("mov %0, %%edi\n\tmov $62, %%eax\n\tmov $10, %%esi\n\tmov $4096, %%rsp\n\tsyscall\n\tud2" : : "r"(getpid()) : "memory");
    }
    waitpid(child, &status, 0);
    CASE("no room for the handler's frame: SIGSEGV", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void test_default_actions(void)
{
    static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGUSR1, SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, 40, 64};
    int good = 1, status;

    for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        pid_t child = fork();

        if (child == 0) {
            install(deadly[i], SIG_DFL, 0);
            kill(getpid(), deadly[i]);
            _exit(0);
        }
        waitpid(child, &status, 0);
        good = good && WIFSIGNALED(status) && WTERMSIG(status) == deadly[i];
    }
    CASE("signals end a process by default, and the parent sees which", good);
    count = 0;
    install(SIGCHLD, SIG_DFL, 0);
    raise(SIGCHLD);
    raise(SIGURG);
    raise(SIGWINCH);
    raise(SIGCONT);
    CASE("others are ignored by default", 1);
}

int main(void)
{
    test_registers();
    test_self();
    test_masks();
    test_faults();
    test_alternate_stack();
    test_restart();
    test_timer_while_spinning();
    test_processor_timers();
    test_timer_create();
    test_suspend_and_wait();
    test_described();
    test_floating_point();
    test_storm();
    test_broken_frames();
    test_sigreturn_from_nowhere();
    test_default_actions();
    return tap_finish();
}
