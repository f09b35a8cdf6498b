/*
 * For the programs in this folder: each case runs in a child process, so that what it breaks ends with it. A case says what
 * it found by its exit status: 0 when the system behaved as Linux does. The programs run on Linux as well, and must pass there.
 */
#ifndef MISUSE_H
#define MISUSE_H
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/tap.h"

#define PAGE 4096ul
#define LIBOS_IMAGE 0x7ffff0000000ul  /* where ExoV6 keeps the libOS in each process (libos/posix/proto/layout.h) */
#define LIBOS_WINDOW 0x7fef00000000ul /* and its windows on files: the end of the program's range */
#define KERNEL_HALF 0xffffffff80000000ul
#define NOWHERE 0x123456000ul /* an address that nothing maps */

/* The system call itself: no library looks at the arguments first. Negative errno on failure. */
static inline long raw(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Wait status of a child that ran the function and exits with its result. A child that hangs is ended by an alarm. */
static inline int in_child(int (*body)(void *), void *argument)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        int code;

        alarm(20);
        code = body(argument);
        fflush(stdout);
        _exit(code);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

static inline bool exited_with(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static inline bool killed_by(int status, int number)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == number;
}
#endif
