/* Calls that do next to nothing: what the way in and out costs. And two controls that need no system at all. */
#define _GNU_SOURCE
#include "bench.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define AT_EXO_CALL 0x65786f /* ExoV6's libOS gives the address of its direct entry (libos/posix/px.h) */

static volatile long sink;
static volatile sig_atomic_t handled;

static long raw_call(long number, long first, long second)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(first), "S"(second) : "rcx", "r11", "memory");
    return result;
}

/* Control: arithmetic only, the same everywhere. */
static uint64_t int_loop(long n)
{
    return TIMED(n, ({
        long x = sink;
        for (int i = 0; i < 100; i++)
            __asm__ volatile("lea 1(%0,%0,2), %0" : "+r"(x));
        sink = x;
    }));
}

/* Control: 1 MiB of memory copied. */
static uint64_t memcpy_1m(long n)
{
    size_t bytes = 1 << 20;
    char *both = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (both == MAP_FAILED)
        fail("mmap");
    memset(both, 1, 2 * bytes);
    uint64_t took = TIMED(n, ({
        memcpy(both, both + bytes, bytes);
        __asm__ volatile("" : : "r"(both) : "memory");
    }));
    munmap(both, 2 * bytes); /* what stays mapped would make every later fork slower */
    return took;
}

/* lmbench's null call: getppid, which no library remembers. */
static uint64_t null_call(long n)
{
    return TIMED(n, sink = raw_call(SYS_getppid, 0, 0));
}

/* A call number that nobody has: the answer is ENOSYS. */
static uint64_t missing_call(long n)
{
    return TIMED(n, sink = raw_call(1000, 0, 0));
}

static uint64_t getpid_call(long n)
{
    return TIMED(n, sink = raw_call(SYS_getpid, 0, 0));
}

/* The same straight into the library OS, as a function: the number in RAX, the arguments where syscall has them. */
static uint64_t direct(long n, long number)
{
    unsigned long entry = getauxval(AT_EXO_CALL);
    if (!entry)
        return NOT_HERE;
    return TIMED(n, ({
        long result;
        /* The called function may use the red zone below RSP for the return address: step over it. */
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\tcall *%2\n\tlea 128(%%rsp), %%rsp"
                         : "=a"(result)
                         : "0"(number), "r"(entry)
                         : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
        sink = result;
    }));
}

static uint64_t direct_null(long n)
{
    return direct(n, SYS_getppid);
}

static uint64_t direct_getpid(long n)
{
    return direct(n, SYS_getpid);
}

static uint64_t clock_call(long n)
{
    struct timespec now;
    return TIMED(n, clock_gettime(CLOCK_MONOTONIC, &now));
}

/* The clock by a system call, as programs ask that have no vDSO. */
static uint64_t clock_system_call(long n)
{
    struct timespec now;
    return TIMED(n, raw_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now));
}

static uint64_t fcntl_call(long n)
{
    return TIMED(n, sink = raw_call(SYS_fcntl, STDOUT_FILENO, F_GETFL));
}

static uint64_t sigprocmask_call(long n)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return TIMED(n, sigprocmask(timed_i & 1 ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL));
}

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static uint64_t signal_install(long n)
{
    struct sigaction action = {.sa_handler = on_signal};
    return TIMED(n, sigaction(SIGUSR1, &action, NULL));
}

/* A signal to oneself, handler and return included. */
static uint64_t signal_self(long n)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    pid_t self = getpid();
    handled = 0;
    uint64_t took = TIMED(n, kill(self, SIGUSR1));
    if (handled != n)
        fail("signal_self: a signal was lost");
    return took;
}

const struct bench_case call_cases[] = {
    {"int_loop", int_loop, 1000},
    {"memcpy_1m", memcpy_1m, 20},
    {"null", null_call, 1000},
    {"direct_null", direct_null, 1000},
    {"nosys", missing_call, 1000},
    {"getpid", getpid_call, 1000},
    {"direct_getpid", direct_getpid, 1000},
    {"clock_gettime", clock_call, 1000},
    {"clock_gettime_call", clock_system_call, 1000},
    {"fcntl", fcntl_call, 1000},
    {"sigprocmask", sigprocmask_call, 1000},
    {"signal_install", signal_install, 1000},
    {"signal_self", signal_self, 1000},
    {0},
};
