/*
 * Circles of processes that wait for each other's record locks (EDEADLK), scheduling policies and masks as they are remembered, and small errors. The same
 * on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define FILE_NAME "/tmp/circles"
#define USER 4711
#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

/* musl's functions of these names do nothing. */
#define sched_setscheduler(pid, policy, param) ((int)syscall(SYS_sched_setscheduler, pid, policy, param))
#define sched_getscheduler(pid) ((int)syscall(SYS_sched_getscheduler, pid))
#define sched_setparam(pid, param) ((int)syscall(SYS_sched_setparam, pid, param))
#define sched_getparam(pid, param) ((int)syscall(SYS_sched_getparam, pid, param))

static int status_of(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1;
}

static int lock(int fd, int type, long at, bool wait)
{
    struct flock wanted = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

    return fcntl(fd, wait ? F_SETLKW : F_SETLK, &wanted);
}

/* A process with a lock at `own`, that says so, is told to go on, and then waits for `other`. */
static pid_t link_of(long own, long other, int ready[2], int go[2])
{
    pid_t child = fork();

    if (child == 0) {
        int fd = open(FILE_NAME, O_RDWR);
        char byte;

        if (lock(fd, F_WRLCK, own, false))
            _exit(1);
        write(ready[1], "", 1);
        read(go[0], &byte, 1);
        if (lock(fd, F_WRLCK, other, true))
            _exit(errno == EDEADLK ? 2 : errno == EINTR ? 4 : 3);
        _exit(0);
    }
    return child;
}

/* `count` processes in a circle: exactly one hears of it, and then all others go on one after the other. */
static bool circle(int count)
{
    int ready[2], go[2], dead = 0, good = 0;
    pid_t child[8];
    char byte;

    pipe(ready);
    pipe(go);
    for (int i = 0; i < count; i++)
        child[i] = link_of(i, (i + 1) % count, ready, go);
    for (int i = 0; i < count; i++)
        read(ready[0], &byte, 1);
    for (int i = 0; i < count; i++)
        write(go[1], "", 1);
    for (int i = 0; i < count; i++) {
        int status = status_of(child[i]);

        dead += status == 2;
        good += status == 0;
    }
    close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
    return dead == 1 && good == count - 1;
}

static void test_circles(void)
{
    int fd = open(FILE_NAME, O_RDWR | O_CREAT, 0600), ready[2], go[2];
    pid_t child, other;
    char byte;

    CASE("two", circle(2));
    CASE("three", circle(3));
    CASE("six", circle(6));
    CASE("again", circle(2));
    pipe(ready);
    pipe(go);
    child = link_of(0, 1, ready, go);
    read(ready[0], &byte, 1);
    lock(fd, F_WRLCK, 1, false);
    write(go[1], "1", 1);
    usleep(20000);
    CASE("waiting alone is no circle", lock(fd, F_WRLCK, 2, true) == 0);
    CASE("one's own wait is refused", FAILS(lock(fd, F_WRLCK, 0, true), EDEADLK));
    CASE("without waiting it is something else", FAILS(lock(fd, F_WRLCK, 0, false), EAGAIN));
    kill(child, SIGKILL);
    CASE("who waited was killed: no circle any more", status_of(child) == 128 + SIGKILL && lock(fd, F_WRLCK, 0, true) == 0);
    child = link_of(5, 1, ready, go);
    read(ready[0], &byte, 1);
    write(go[1], "1", 1);
    other = link_of(6, 5, ready, go);
    read(ready[0], &byte, 1);
    write(go[1], "1", 1);
    usleep(20000);
    CASE("a row is none", kill(child, 0) == 0 && lock(fd, F_UNLCK, 1, false) == 0 && status_of(child) == 0 && status_of(other) == 0);
    close(fd);
    unlink(FILE_NAME);
}

static int as_user(void)
{
    struct sched_param param = {.sched_priority = 1}, none = {0};
    struct rlimit limit = {0, 0};

    setrlimit(RLIMIT_RTPRIO, &limit);
    if (setgid(USER) || setuid(USER))
        return 1;
    if (!FAILS(sched_setscheduler(0, SCHED_FIFO, &param), EPERM) || !FAILS(sched_setscheduler(0, SCHED_RR, &param), EPERM))
        return 2;
    return sched_setscheduler(0, SCHED_BATCH, &none) || sched_getscheduler(0) != SCHED_BATCH;
}

static void test_scheduling(void)
{
    struct sched_param param = {.sched_priority = 5}, none = {0}, got = {.sched_priority = 77};
    cpu_set_t set, all;
    pid_t child;

    CASE("as it begins", sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &got) == 0 && got.sched_priority == 0);
    CASE("priorities that are none", FAILS(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL) && FAILS(sched_setscheduler(0, SCHED_FIFO, &none), EINVAL) &&
                                         (param.sched_priority = 100, FAILS(sched_setscheduler(0, SCHED_RR, &param), EINVAL)));
    CASE("policies that are none", FAILS(sched_setscheduler(0, 4, &none), EINVAL) && FAILS(sched_setscheduler(0, 99, &none), EINVAL) &&
                                       FAILS(sched_setscheduler(-1, 0, &none), EINVAL) && FAILS(sched_setscheduler(0, 0, NULL), EINVAL) &&
                                       FAILS(sched_setscheduler(999999, 0, &none), ESRCH));
    param.sched_priority = 5;
    child = fork();
    if (child == 0) {
        if (sched_setscheduler(0, SCHED_RR, &param) || sched_getscheduler(0) != SCHED_RR || sched_getparam(0, &got) || got.sched_priority != 5)
            _exit(1);
        param.sched_priority = 9;
        if (sched_setparam(0, &param) || sched_getparam(0, &got) || got.sched_priority != 9)
            _exit(2);
        child = fork();
        if (child == 0)
            _exit(sched_getscheduler(0) == SCHED_RR ? 0 : 3);
        if (status_of(child))
            _exit(3);
        if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) || sched_getscheduler(0) != (SCHED_FIFO | SCHED_RESET_ON_FORK))
            _exit(4);
        child = fork();
        if (child == 0)
            _exit(sched_getscheduler(0) == SCHED_OTHER ? 0 : 5);
        _exit(status_of(child));
    }
    CASE("set, read, inherited or not", status_of(child) == 0);
    child = fork();
    if (child == 0)
        _exit(as_user());
    CASE("of a user", status_of(child) == 0);
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&set);
    CASE("no processor", FAILS(sched_setaffinity(0, sizeof set, &set), EINVAL));
    for (int cpu = 0; CPU_COUNT(&set) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &set);
    CASE("one", sched_setaffinity(0, sizeof set, &set) == 0 && sched_getaffinity(0, sizeof all, &all) == 0 && CPU_COUNT(&all) == 1);
}

static void test_errors(void)
{
    int fd = open("/dev/zero", O_RDWR);

    CASE("setpgid of -1", FAILS(setpgid(-1, 0), EINVAL) && FAILS(setpgid(0, -1), EINVAL) && FAILS(setpgid(-1, 5), ESRCH));
    CASE("more bytes than there are addresses", FAILS(syscall(SYS_read, fd, &fd, -1L), EFAULT) && FAILS(syscall(SYS_write, fd, &fd, -1L), EFAULT));
    close(fd);
}

int main(void)
{
    test_circles();
    test_scheduling();
    test_errors();
    return tap_finish();
}
