/*
 * For the cases in conform: programs that print what calls answer, a line each, and run on Linux and on ExoV6. P(expression) prints the expression
 * and its value, or the error; V a number that is no result, S a string. A family of them runs in a process of its own, with a time limit, in an
 * empty folder of tmpfs.
 */
#ifndef PROBE_H
#define PROBE_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* What is wrong with calls is what is tried. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wshift-negative-value"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmisleading-indentation"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BAD ((void *)0x1234)          /* an address where nothing is */
#define USER 1000u

static inline const char *probe_error(int number)
{
    static const struct { int number; const char *name; } names[] = {
#define N(name) {name, #name}
        N(EPERM), N(ENOENT), N(ESRCH), N(EINTR), N(EIO), N(ENXIO), N(E2BIG), N(ENOEXEC), N(EBADF), N(ECHILD), N(EAGAIN), N(ENOMEM), N(EACCES), N(EFAULT),
        N(ENOTBLK), N(EBUSY), N(EEXIST), N(EXDEV), N(ENODEV), N(ENOTDIR), N(EISDIR), N(EINVAL), N(ENFILE), N(EMFILE), N(ENOTTY), N(ETXTBSY), N(EFBIG),
        N(ENOSPC), N(ESPIPE), N(EROFS), N(EMLINK), N(EPIPE), N(EDOM), N(ERANGE), N(EDEADLK), N(ENAMETOOLONG), N(ENOLCK), N(ENOSYS), N(ENOTEMPTY), N(ELOOP),
        N(ENOMSG), N(EIDRM), N(ENODATA), N(ETIME), N(EBADMSG), N(EOVERFLOW), N(ENOTSOCK), N(EDESTADDRREQ), N(EMSGSIZE), N(EPROTOTYPE), N(ENOPROTOOPT),
        N(EPROTONOSUPPORT), N(ESOCKTNOSUPPORT), N(EOPNOTSUPP), N(EPFNOSUPPORT), N(EAFNOSUPPORT), N(EADDRINUSE), N(EADDRNOTAVAIL), N(ENETUNREACH),
        N(ECONNREFUSED), N(ECONNRESET), N(EISCONN), N(ENOTCONN), N(EALREADY), N(EINPROGRESS), N(ETIMEDOUT), N(ECANCELED), N(EHOSTUNREACH), N(ENOBUFS),
        N(ECONNABORTED), N(ESHUTDOWN), N(EOWNERDEAD), N(ENOTRECOVERABLE), N(ESTALE), N(ENOKEY), N(EUSERS), N(ETOOMANYREFS), N(EREMOTE), N(EBADFD),
#undef N
    };
    static char other[16];

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(other, sizeof other, "%d", number);
    return other;
}

static inline long probe_print(const char *text, long result)
{
    if (result == -1 && errno)
        printf("%s: %s\n", text, probe_error(errno));
    else
        printf("%s: %ld\n", text, result);
    fflush(stdout);
    return result;
}
#define P(expression) (errno = 0, probe_print(#expression, (long)(expression)))
/* A number that is no result of a call. */
#define V(expression) (errno = 0, printf("%s = %lld\n", #expression, (long long)(expression)), fflush(stdout))
#define S(expression) (printf("%s = \"%s\"\n", #expression, (expression)), fflush(stdout))
#define SAY(...) (printf(__VA_ARGS__), fflush(stdout))

static inline void probe_status(int status)
{
    if (WIFEXITED(status))
        SAY("  exit %d\n", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        SAY("  signal %d\n", WTERMSIG(status));
    else
        SAY("  status %#x\n", status);
}

/* Runs code in a child, and says how it ended. */
#define CHILD(...)                                                                                                                                      \
    do {                                                                                                                                                \
        int child_status = -1;                                                                                                                          \
        pid_t child_pid = (fflush(stdout), fork());                                                                                                     \
        if (child_pid == 0) {                                                                                                                           \
            alarm(20);                                                                                                                                  \
            __VA_ARGS__;                                                                                                                                \
            fflush(stdout);                                                                                                                             \
            _exit(0);                                                                                                                                   \
        }                                                                                                                                               \
        while (waitpid(child_pid, &child_status, 0) < 0 && errno == EINTR)                                                                              \
            ;                                                                                                                                           \
        probe_status(child_status);                                                                                                                     \
    } while (0)
#define AS_USER(...) CHILD(if (setgroups(0, NULL) || setgid(USER) || setuid(USER)) _exit(99); __VA_ARGS__)

/* The main function of a probe: its families. */
typedef void probe_family(void);
static inline void probe_run(const char *name, probe_family *family)
{
    char folder[] = "/tmp/probe-XXXXXX";
    int status = -1;
    pid_t pid;

    SAY("== %s\n", name);
    if (!mkdtemp(folder))
        exit(97);
    pid = fork();
    if (pid == 0) {
        alarm(30);
        umask(022);
        syscall(141, 0, 0, 0);
        if (chdir(folder) < 0)
            _exit(98);
        chmod(folder, 0777);
        family();
        fflush(stdout);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status)
        probe_status(status);
    pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", folder, NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
}
#define RUN(name) ((argc < 2 || !strcmp(argv[1], #name)) ? probe_run(#name, name) : (void)0)
static char page[1 << 16] __attribute__((unused));
#endif
