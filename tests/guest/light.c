/*
 * Calls that are asked most, hot, so that they are made without the kernel and without storing registers (libos/posix/arch/x86_64/light.h): each answer as
 * Linux gives it, errors and ends of files too, no register changed but RAX, RCX and R11, and signals in between. Runs on Linux as well.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOT 600
#define PAGE 4096
#define FILE_BYTES (3 * PAGE + 100)
#define WRONG 0x5a5a5a5a

/* long light_call(const long words[5], long *result): a number and four arguments; 0 if no register changed that must not. */
__asm__(".text\n"
        ".p2align 4\n"
        "light_call:\n"
        "    push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "    mov %rdi, %rbx\n mov %rsi, %rbp\n"
        "    mov (%rbx), %rax\n mov 8(%rbx), %rdi\n mov 16(%rbx), %rsi\n mov 24(%rbx), %rdx\n mov 32(%rbx), %r10\n"
        "    mov $0x105, %r8d\n mov $0x106, %r9d\n mov $0x109, %r12d\n mov $0x10a, %r13d\n mov $0x10b, %r14d\n mov $0x10c, %r15d\n"
        "    movq $0x10e, -16(%rsp)\n movq $0x10f, -128(%rsp)\n"
        "    syscall\n"
        "    jmp 1f\n"
        ".p2align 4\n"
        "1:  mov %rax, (%rbp)\n"
        "    mov $1, %eax\n"
        "    cmp 8(%rbx), %rdi\n jne 2f\n cmp 16(%rbx), %rsi\n jne 2f\n cmp 24(%rbx), %rdx\n jne 2f\n cmp 32(%rbx), %r10\n jne 2f\n"
        "    cmp $0x105, %r8\n jne 2f\n cmp $0x106, %r9\n jne 2f\n cmp $0x109, %r12\n jne 2f\n cmp $0x10a, %r13\n jne 2f\n"
        "    cmp $0x10b, %r14\n jne 2f\n cmp $0x10c, %r15\n jne 2f\n cmpq $0x10e, -16(%rsp)\n jne 2f\n cmpq $0x10f, -128(%rsp)\n jne 2f\n"
        "    xor %eax, %eax\n"
        "2:  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "    ret\n"
        ".p2align 4\n");
long light_call(const long words[5], long *result);

static bool changed;

static long call(long number, long a, long b, long c, long d)
{
    const long words[5] = {number, a, b, c, d};
    long result;

    changed |= light_call(words, &result) != 0;
    return result;
}

static char *edge; /* memory of a page, behind which there is none */
static char model[FILE_BYTES];
static int file;

static int make_file(void)
{
    int fd = open("/tmp/light.file", O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (int i = 0; i < FILE_BYTES; i++)
        model[i] = (char)(i * 31 + i / PAGE);
    return write(fd, model, FILE_BYTES) == FILE_BYTES ? fd : -1;
}

/* One of each answer, in a row: a mistake that depends on what came before shows. */
static bool seeks(void)
{
    bool good = call(SYS_lseek, file, 100, SEEK_SET, 0) == 100 && call(SYS_lseek, file, -30, SEEK_CUR, 0) == 70;

    good &= call(SYS_lseek, file, -71, SEEK_CUR, 0) == -EINVAL && call(SYS_lseek, file, -1, SEEK_SET, 0) == -EINVAL;
    good &= call(SYS_lseek, file, 0, SEEK_CUR, 0) == 70 && call(SYS_lseek, file, 5, SEEK_END, 0) == FILE_BYTES + 5;
    good &= call(SYS_lseek, file, 0x7fffffffffffffff, SEEK_CUR, 0) < 0 && call(SYS_lseek, file, 0, 77, 0) == -EINVAL;
    good &= call(SYS_lseek, -1, 0, SEEK_SET, 0) == -EBADF && call(SYS_lseek, 900, 0, SEEK_SET, 0) == -EBADF;
    return good && call(SYS_lseek, file, 0, SEEK_CUR, 0) == FILE_BYTES + 5;
}

static bool reads_at(long offset, long bytes)
{
    char to[2 * PAGE] = {0};
    long want = offset >= FILE_BYTES ? 0 : bytes < FILE_BYTES - offset ? bytes : FILE_BYTES - offset;

    to[want] = 'e';
    return call(SYS_lseek, file, offset, SEEK_SET, 0) == offset && call(SYS_read, file, (long)to, bytes, 0) == want &&
           memcmp(to, model + (want ? offset : 0), (size_t)want) == 0 && to[want] == 'e' && call(SYS_lseek, file, 0, SEEK_CUR, 0) == offset + want;
}

static bool reads(void)
{
    bool good = reads_at(0, 1) && reads_at(7, 1) && reads_at(PAGE - 1, 1) && reads_at(PAGE - 1, 2) && reads_at(PAGE, PAGE);

    good &= reads_at(5, 0) && reads_at(FILE_BYTES - 3, 3) && reads_at(FILE_BYTES - 3, 4) && reads_at(FILE_BYTES, 1) && reads_at(FILE_BYTES + 9, 1);
    good &= reads_at(10, 5000) && call(SYS_read, -1, (long)edge, 1, 0) == -EBADF && call(SYS_read, file, (long)edge, -1, 0) < 0;
    call(SYS_lseek, file, 20, SEEK_SET, 0);
    good &= call(SYS_read, file, (long)(edge + PAGE), 1, 0) == -EFAULT && call(SYS_read, file, -4, 1, 0) == -EFAULT;
    good &= call(SYS_read, file, (long)(edge + PAGE - 6), 9, 0) == 6 && memcmp(edge + PAGE - 6, model + 20, 6) == 0;
    return good;
}

static bool flags(void)
{
    bool good = (call(SYS_fcntl, file, F_GETFL, 0, 0) & O_ACCMODE) == O_RDWR && call(SYS_fcntl, file, F_GETFD, 0, 0) == 0;

    good &= call(SYS_fcntl, file, F_SETFD, FD_CLOEXEC, 0) == 0 && call(SYS_fcntl, file, F_GETFD, 0, 0) == FD_CLOEXEC;
    good &= call(SYS_fcntl, file, F_SETFD, 0, 0) == 0 && call(SYS_fcntl, file, F_GETFD, WRONG, 0) == 0;
    return good && call(SYS_fcntl, file, 4711, 0, 0) == -EINVAL && call(SYS_fcntl, -1, F_GETFD, 0, 0) == -EBADF;
}

static bool clocks(void)
{
    static struct timespec before;
    struct timespec now, real;
    bool good = call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0) == 0 && call(SYS_clock_gettime, CLOCK_REALTIME, (long)&real, 0, 0) == 0;

    good &= now.tv_sec > before.tv_sec || (now.tv_sec == before.tv_sec && now.tv_nsec >= before.tv_nsec);
    good &= now.tv_nsec < 1000000000 && real.tv_nsec < 1000000000 && real.tv_sec > 1600000000;
    before = now;
    good &= call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)(edge + PAGE), 0, 0) == -EFAULT;
    good &= call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)(edge + PAGE - 8), 0, 0) == -EFAULT;
    return good && call(SYS_clock_gettime, 4711, (long)&now, 0, 0) == -EINVAL && call(SYS_clock_gettime, CLOCK_MONOTONIC, 0, 0, 0) == -EFAULT;
}

static volatile sig_atomic_t taken;

static void take(int signo)
{
    (void)signo;
    taken++;
}

/* A signal that waits comes when it is unblocked, before the call is over. */
static bool masks(void)
{
    const unsigned long one = 1ul << (SIGUSR1 - 1), two = 1ul << (SIGUSR2 - 1), never = 1ul << (SIGKILL - 1), none = 0;
    unsigned long old = WRONG;
    int was = taken;
    bool good = call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8) == 0;

    good &= call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&one, (long)&old, 8) == 0 && old == 0;
    good &= call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&two, (long)&old, 8) == 0 && old == one;
    good &= call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&never, 0, 8) == 0 && call(SYS_rt_sigprocmask, WRONG, 0, (long)&old, 8) == 0 && old == (one | two);
    good &= kill(getpid(), SIGUSR1) == 0 && taken == was;
    good &= call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&two, (long)&old, 8) == 0 && taken == was && old == (one | two);
    good &= call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&one, (long)&old, 8) == 0 && taken == was + 1 && old == one;
    good &= call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&old, (long)&old, 8) == 0 && old == 0;
    good &= call(SYS_rt_sigprocmask, 5, (long)&none, 0, 8) == -EINVAL && call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&none, 0, 4) == -EINVAL;
    good &= call(SYS_rt_sigprocmask, SIG_BLOCK, (long)(edge + PAGE), 0, 8) == -EFAULT;
    good &= call(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)(edge + PAGE - 4), 8) == -EFAULT;
    return good && call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, (long)&old, 8) == 0 && old == one;
}

static bool all(void)
{
    return seeks() && reads() && flags() && clocks() && masks() && call(SYS_getpid, WRONG, WRONG, WRONG, WRONG) == getpid();
}

static bool hot(bool (*one)(void))
{
    bool good = true;

    for (int i = 0; i < HOT; i++)
        good &= one();
    return good && !changed;
}

/* Another process moves the position of a description that is shared. */
static bool shared_position(void)
{
    int status = -1;
    pid_t child;

    call(SYS_lseek, file, 10, SEEK_SET, 0);
    child = fork();
    if (child == 0)
        _exit(call(SYS_lseek, file, 5, SEEK_CUR, 0) == 15 && reads_at(PAGE, 8) && call(SYS_lseek, file, 33, SEEK_SET, 0) == 33 ? 7 : 1);
    return waitpid(child, &status, 0) == child && status == 7 << 8 && call(SYS_lseek, file, 0, SEEK_CUR, 0) == 33;
}

/* What a file holds, how long it is and which file it is changes while it is read hot. */
static bool changing(void)
{
    char byte = 0;
    int other;
    bool good = reads_at(PAGE, 1) && pwrite(file, "Z", 1, PAGE) == 1 && lseek(file, PAGE, SEEK_SET) == PAGE;

    good &= call(SYS_read, file, (long)&byte, 1, 0) == 1 && byte == 'Z';
    good &= ftruncate(file, PAGE) == 0 && lseek(file, PAGE, SEEK_SET) == PAGE && call(SYS_read, file, (long)&byte, 1, 0) == 0;
    good &= ftruncate(file, FILE_BYTES) == 0 && call(SYS_read, file, (long)&byte, 1, 0) == 1 && byte == 0;
    other = open("/dev/zero", O_RDONLY);
    good &= dup2(other, file) == file && call(SYS_read, file, (long)&byte, 1, 0) == 1 && byte == 0 && close(other) == 0;
    good &= close(file) == 0 && call(SYS_read, file, (long)&byte, 1, 0) == -EBADF && call(SYS_lseek, file, 0, SEEK_SET, 0) == -EBADF;
    other = open("/tmp/light.file", O_WRONLY);
    good &= other == file && call(SYS_read, file, (long)&byte, 1, 0) == -EBADF && close(file) == 0;
    other = open("/tmp/light.file", O_PATH);
    return good && other == file && call(SYS_lseek, file, 0, SEEK_SET, 0) == -EBADF && call(SYS_read, file, (long)&byte, 1, 0) == -EBADF && close(file) == 0;
}

int main(void)
{
    const struct itimerval often = {{0, 400}, {0, 400}}, never = {{0, 0}, {0, 0}};
    int before;

    file = make_file();
    edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGUSR1, take);
    CASE("a file and memory with an end", file >= 0 && edge != MAP_FAILED && munmap(edge + PAGE, PAGE) == 0);
    CASE("seeks", hot(seeks));
    CASE("reads", hot(reads));
    CASE("flags of descriptors", hot(flags));
    CASE("clocks", hot(clocks));
    CASE("signal masks", hot(masks));
    CASE("a position that others move", shared_position() && shared_position());
    signal(SIGALRM, take);
    before = taken;
    setitimer(ITIMER_REAL, &often, NULL);
    while (!changed && taken < before + 4 * HOT)
        changed |= !seeks() || !reads() || !flags() || !clocks();
    setitimer(ITIMER_REAL, &never, NULL);
    CASE("among signals", !changed);
    CASE("all again", hot(all));
    CASE("files that change", changing() && !changed);
    unlink("/tmp/light.file");
    return tap_finish();
}
