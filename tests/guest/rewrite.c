/*
 * What a program can notice of its system calls being made calls of the libOS (decision 0025): nothing, but that it reads other bytes. Own machine code with
 * own system calls, hot and cold, interrupted, jumped into, overwritten, moved, unmapped and inherited. With an argument, `rewritten` or `untouched`, it also
 * says whether hot ones are what they should be. Runs on Linux as well. rewriting.py runs it.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096ul
#define HOT 1000

/* A page of code that runs anywhere. Offsets are from its start. */
__asm__(".text\n"
        ".p2align 12\n"
        "blob:\n"
        /* long f(long number, long a, long b, long c) */
        "blob_call:\n"
        "    mov %rdi, %rax\n"
        "    mov %rsi, %rdi\n"
        "    mov %rdx, %rsi\n"
        "    mov %rcx, %rdx\n"
        "blob_call_site:\n"
        "    syscall\n"
        "    ret\n"
        ".p2align 4\n"
        /* the instruction itself, reached by a jump */
        "blob_middle:\n"
        "    mov %rdi, %rax\n"
        "    jmp blob_call_site\n"
        ".p2align 4\n"
        /* long f(void): getpid, with the number in the code */
        "blob_fixed:\n"
        "blob_number:\n"
        "    mov $39, %eax\n"
        "    syscall\n"
        "    ret\n"
        ".p2align 4\n"
        /* without room behind it: the next one begins at once */
        "blob_dense:\n"
        "    mov $39, %eax\n"
        "blob_dense_site:\n"
        "    syscall\n"
        "    ret\n"
        "    nop\n"
        "    jmp blob_dense\n"
        "    jmp blob_dense\n"
        "    ret\n"
        ".p2align 4\n"
        /* long f(long number): 0 if nothing but RAX, RCX and R11 changes, not even below the stack pointer; RCX is where it goes on */
        "blob_registers:\n"
        "    push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "    mov %rdi, %rax\n"
        "    mov $0x101, %edi\n mov $0x102, %esi\n mov $0x103, %edx\n mov $0x104, %r10d\n mov $0x105, %r8d\n mov $0x106, %r9d\n"
        "    mov $0x107, %ebx\n mov $0x108, %ebp\n mov $0x109, %r12d\n mov $0x10a, %r13d\n mov $0x10b, %r14d\n mov $0x10c, %r15d\n"
        "    movq $0x10d, -8(%rsp)\n movq $0x10e, -16(%rsp)\n movq $0x10f, -128(%rsp)\n"
        "    std\n"
        "    syscall\n"
        "blob_after:\n"
        "    jmp 1f\n"
        ".p2align 4\n"
        "1:  pushfq\n"
        "    pop %rax\n"
        "    cld\n"
        "    test $0x400, %eax\n jz 2f\n"
        "    lea blob_after(%rip), %rax\n"
        "    cmp %rax, %rcx\n jne 2f\n"
        "    cmp $0x101, %rdi\n jne 2f\n cmp $0x102, %rsi\n jne 2f\n cmp $0x103, %rdx\n jne 2f\n"
        "    cmp $0x104, %r10\n jne 2f\n cmp $0x105, %r8\n jne 2f\n cmp $0x106, %r9\n jne 2f\n"
        "    cmp $0x107, %rbx\n jne 2f\n cmp $0x108, %rbp\n jne 2f\n cmp $0x109, %r12\n jne 2f\n"
        "    cmp $0x10a, %r13\n jne 2f\n cmp $0x10b, %r14\n jne 2f\n cmp $0x10c, %r15\n jne 2f\n"
        "    cmpq $0x10f, -128(%rsp)\n jne 2f\n" /* pushfq took the first eight bytes */
        "    cmpq $0x10e, -16(%rsp)\n jne 2f\n"
        "    xor %eax, %eax\n"
        "    jmp 3f\n"
        "2:  mov $1, %eax\n"
        "3:  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "    ret\n"
        ".p2align 4\n"
        /* void f(volatile int *stop): calls getppid until *stop */
        "blob_loop:\n"
        "    mov $110, %eax\n"
        "    syscall\n"
        "    cmpl $0, (%rdi)\n"
        "    je blob_loop\n"
        "    ret\n"
        ".p2align 4\n"
        ".p2align 12\n"
        "blob_end:\n");
extern char blob[], blob_call[], blob_call_site[], blob_middle[], blob_fixed[], blob_number[], blob_dense[], blob_dense_site[], blob_registers[], blob_loop[];
extern char __executable_start[], etext[];

typedef long call_function(long number, long a, long b, long c);
typedef long number_function(long number);
typedef long plain_function(void);

/* In a copy of the page. */
#define IN(base, name) ((void *)((uintptr_t)(base) + (uintptr_t)((name) - blob)))
#define CALL(base) ((call_function *)IN(base, blob_call))
#define FIXED(base) ((plain_function *)IN(base, blob_fixed))

static const char *expected;

static bool is_syscall(const void *at)
{
    return memcmp(at, "\x0f\x05", 2) == 0;
}

static bool as_expected(const void *site)
{
    return !expected || is_syscall(site) == (strcmp(expected, "untouched") == 0);
}

static bool heat(void *base)
{
    long pid = getpid();
    bool good = true;

    for (int i = 0; i < HOT; i++)
        good &= CALL(base)(SYS_getpid, 0, 0, 0) == pid && FIXED(base)() == pid;
    return good;
}

static int wait_for(pid_t child)
{
    int status = -1;

    return waitpid(child, &status, 0) == child ? status : -1;
}

static void plain(void)
{
    number_function *registers = (number_function *)(void *)blob_registers, *middle = (number_function *)(void *)blob_middle;
    plain_function *dense = (plain_function *)(void *)blob_dense;
    bool good = true;
    int ends[2];
    char byte = 'x';

    CASE("cold and hot calls answer the same", heat(blob));
    CASE("a hot call's instruction is as it should be", as_expected(blob_call_site));
    for (int i = 0; i < HOT; i++)
        good &= registers(SYS_getpid) == 0;
    CASE("registers, flags and the stack stay", good);
    good = true;
    CASE("who jumps to the instruction makes the call", middle(SYS_getpid) == getpid());
    for (int i = 0; i < HOT; i++)
        good &= dense() == getpid();
    CASE("an instruction without room behind it is left alone", good && is_syscall(blob_dense_site));
    CASE("errors", CALL(blob)(SYS_close, -1, 0, 0) == -EBADF && CALL(blob)(12345, 0, 0, 0) == -ENOSYS && CALL(blob)(-1, 0, 0, 0) == -ENOSYS);
    CASE("arguments", pipe(ends) == 0 && CALL(blob)(SYS_write, ends[1], (long)"y", 1) == 1 && CALL(blob)(SYS_read, ends[0], (long)&byte, 1) == 1 &&
                          byte == 'y');
    close(ends[0]);
    close(ends[1]);
}

/* ---- children ---- */

static void children(void)
{
    pid_t parent = getpid(), child;
    bool good = true;

    for (int i = 0; i < 20; i++) {
        child = (pid_t)CALL(blob)(SYS_fork, 0, 0, 0);
        if (child == 0)
            _exit(getppid() == parent && heat(blob) && CALL(blob)(SYS_getpid, 0, 0, 0) == getpid() ? 7 : 8);
        good &= child > 0 && wait_for(child) == 7 << 8;
    }
    CASE("fork through a hot call", good);
    child = fork();
    if (child == 0) {
        if (mprotect(blob, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 || !is_syscall(blob_call_site))
            _exit(1);
        blob_number[1] = SYS_getppid;
        _exit(FIXED(blob)() == parent ? 7 : 2);
    }
    CASE("a child's changes are its own", wait_for(child) == 7 << 8 && heat(blob));
    child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "rewrite", "executed", (char *)0);
        _exit(1);
    }
    CASE("a new program", wait_for(child) == 7 << 8);
}

/* ---- signals ---- */

static volatile int signals, stop;
static volatile uintptr_t outside;

static void on_alarm(int signo, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

    (void)signo;
    (void)info;
    if (at < (uintptr_t)__executable_start || at >= (uintptr_t)etext)
        outside = at;
    if (++signals == 300)
        stop = 1;
}

static void interrupted(void)
{
    const struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    action.sa_sigaction = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    stop = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    ((void (*)(volatile int *))(void *)blob_loop)(&stop);
    setitimer(ITIMER_REAL, &never, NULL);
    if (outside)
        printf("# at %#lx, not in %p..%p\n", (unsigned long)outside, (void *)__executable_start, (void *)etext);
    CASE("a signal finds the program in its own code", signals >= 300 && outside == 0);
    signal(SIGALRM, SIG_DFL);
}

static int wake_pipe[2];

static void on_write(int signo)
{
    (void)signo;
    (void)!write(wake_pipe[1], "w", 1);
}

static void nothing(int signo)
{
    (void)signo;
}

/* Calls that sleep, are interrupted, and are made again or not. */
static void restarted(void)
{
    const struct itimerval soon = {{0, 0}, {0, 20000}};
    struct sigaction action = {.sa_handler = on_write, .sa_flags = SA_RESTART};
    char byte = 0;

    CASE("a pipe", pipe(wake_pipe) == 0 && heat(blob));
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    CASE("a call that is made again", CALL(blob)(SYS_read, wake_pipe[0], (long)&byte, 1) == 1 && byte == 'w');
    action = (struct sigaction){.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    CASE("a call that is not", CALL(blob)(SYS_read, wake_pipe[0], (long)&byte, 1) == -EINTR);
    signal(SIGALRM, SIG_DFL);
}

/* ---- code that changes ---- */

static bool self_modified(void *base, int between)
{
    char *number = IN(base, blob_number);
    bool good = heat(base) && as_expected(IN(base, blob_call_site));

    good &= mprotect(base, PAGE, between) == 0 && is_syscall(IN(base, blob_call_site)) && memcmp(base, blob_call, (size_t)(blob_number - blob)) == 0;
    number[1] = SYS_getppid;
    good &= mprotect(base, PAGE, PROT_READ | PROT_EXEC) == 0;
    for (int i = 0; i < HOT; i++)
        good &= FIXED(base)() == getppid();
    good &= mprotect(base, PAGE, between) == 0;
    number[1] = SYS_getpid;
    return good && mprotect(base, PAGE, PROT_READ | PROT_EXEC) == 0 && heat(base);
}

/* The code as the first page of a file; its descriptor. */
static int code_file(void)
{
    int fd = open("/tmp/rewrite.code", O_RDWR | O_CREAT | O_TRUNC, 0700);
    char page[PAGE];

    memcpy(page, blob, PAGE);
    memcpy(page + (blob_call_site - blob), "\x0f\x05", 2);
    if (write(fd, page, PAGE) != (ssize_t)PAGE || write(fd, page, PAGE) != (ssize_t)PAGE)
        return -1;
    unlink("/tmp/rewrite.code");
    return fd;
}

static void mapped(void)
{
    int fd, code = PROT_READ | PROT_EXEC;
    char *base, *other;
    bool good = true;

    mprotect(blob, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    fd = code_file();
    mprotect(blob, PAGE, code);
    base = mmap(NULL, 2 * PAGE, code, MAP_PRIVATE, fd, 0);
    CASE("a file that is mapped", fd >= 0 && base != MAP_FAILED && heat(base) && heat(base + PAGE) && as_expected(IN(base + PAGE, blob_call_site)));
    CASE("code that changes itself", self_modified(base, PROT_READ | PROT_WRITE | PROT_EXEC));
    CASE("and never while it can run", self_modified(base, PROT_READ | PROT_WRITE));
    CASE("given back and loaded again", madvise(base, 2 * PAGE, MADV_DONTNEED) == 0 && is_syscall(IN(base, blob_call_site)) && heat(base) && heat(base + PAGE));
    other = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CASE("moved", mremap(base, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other && CALL(other)(SYS_getpid, 0, 0, 0) == getpid() &&
                      heat(other) && heat(other + PAGE));
    base = mmap(other, PAGE, code | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
    CASE("mapped over", base == other && CALL(base)(SYS_getpid, 0, 0, 0) == getpid() && heat(base) && is_syscall(IN(base, blob_call_site)) &&
                            heat(other + PAGE));
    CASE("unmapped", munmap(base, 2 * PAGE) == 0);
    for (int i = 0; i < 300; i++) { /* more than there are places for stubs on a page */
        base = mmap(NULL, PAGE, code, MAP_PRIVATE, fd, 0);
        good &= base != MAP_FAILED && heat(base) && munmap(base, PAGE) == 0;
    }
    CASE("mapped and unmapped again and again", good);
    base = mmap(NULL, PAGE, code | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CASE("code that can be written is left alone", heat(base) && is_syscall(IN(base, blob_call_site)));
    other = mmap(NULL, PAGE, code, MAP_SHARED, fd, 0);
    CASE("and so is a shared mapping", heat(other) && is_syscall(IN(other, blob_call_site)));
    base = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(base, other, PAGE);
    CASE("and made code", mprotect(base, PAGE, code) == 0 && heat(base) && is_syscall(IN(base, blob_call_site)));
    close(fd);
}

/* ---- threads ---- */

static void *in_thread(void *base)
{
    number_function *registers = (number_function *)IN(base, blob_registers);
    long pid = getpid();

    for (int i = 0; i < 20000; i++)
        if (CALL(base)(SYS_getpid, 0, 0, 0) != pid || registers(SYS_getppid) != 0)
            return "wrong";
    return NULL;
}

static void threads(void)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    char *base;
    bool good = true;
    void *result;
    int fd;

    mprotect(blob, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    fd = code_file();
    mprotect(blob, PAGE, PROT_READ | PROT_EXEC);
    base = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    for (unsigned i = 0; i < THREADS; i++)
        good &= pthread_create(&thread[i], NULL, in_thread, base) == 0;
    for (int i = 0; i < 200; i++) /* there and back while they run */
        good &= mprotect(base, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0 && mprotect(base, PAGE, PROT_READ | PROT_EXEC) == 0 &&
                CALL(base)(SYS_getpid, 0, 0, 0) == getpid();
    for (unsigned i = 0; i < THREADS; i++)
        good &= pthread_join(thread[i], &result) == 0 && !result;
    CASE("threads in code that is rewritten and restored", good);
    close(fd);
}

int main(int argc, char **argv)
{
    expected = argc > 1 ? argv[1] : NULL;
    if (expected && strcmp(expected, "executed") == 0)
        return is_syscall(blob_call_site) && heat(blob) ? 7 : 1;
    plain();
    children();
    interrupted();
    restarted();
    mapped();
    threads();
    return tap_finish();
}
