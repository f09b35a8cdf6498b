/*
 * Timers with slack: what prctl answers, what children and programs inherit, and that nobody is woken early, however large the slack. Runs on Linux as well.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000l
#define FUTEX_WAIT_PRIVATE 128 /* musl comes without the kernel's headers */
#define FUTEX_WAIT_BITSET_PRIVATE 137
#define USUAL_NS 50000
#define MILLISECOND 1000000l

static int slack(void)
{
    return prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
}

static int set_slack(unsigned long ns)
{
    return prctl(PR_SET_TIMERSLACK, ns, 0, 0, 0);
}

static int exit_status(pid_t child)
{
    int status = -1;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 0, or which of the answers was wrong. */
static int in_child(void)
{
    if (slack() != 70000)
        return 1;
    if (set_slack(0) != 0 || slack() != 70000) /* what it was born with */
        return 2;
    if (set_slack(5) != 0 || slack() != 5)
        return 3;
    if (set_slack(0) != 0 || slack() != 70000)
        return 4;
    if (set_slack(6) != 0)
        return 5;
    execl("/proc/self/exe", "timer_slack", "executed", (char *)0);
    return 6;
}

static int executed(void)
{
    if (slack() != 6)
        return 7;
    return set_slack(0) == 0 && slack() == 70000 ? 0 : 8;
}

static void answers(void)
{
    pid_t child;

    CASE("the usual slack is 50 microseconds", slack() == USUAL_NS);
    CASE("another one", set_slack(1) == 0 && slack() == 1);
    CASE("0 is the usual one", set_slack(0) == 0 && slack() == USUAL_NS);
    CASE("a child begins with its parent's", set_slack(70000) == 0);
    child = fork();
    if (child == 0)
        _exit(in_child());
    CASE("that is the child's usual one, and programs keep both", exit_status(child) == 0);
    CASE("the parent has its own", slack() == 70000 && set_slack(0) == 0 && slack() == USUAL_NS);
}

/* ---- never early ---- */

static int64_t now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

static void by_nanosleep(int64_t ns)
{
    struct timespec time = timespec_of(ns);

    nanosleep(&time, NULL);
}

static void by_clock(int64_t ns)
{
    struct timespec time = timespec_of(ns);

    clock_nanosleep(CLOCK_REALTIME, 0, &time, NULL);
}

static void by_instant(int64_t ns)
{
    struct timespec time = timespec_of(now(CLOCK_MONOTONIC) + ns);

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void by_date(int64_t ns)
{
    struct timespec time = timespec_of(now(CLOCK_REALTIME) + ns);

    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL);
}

static void by_ppoll(int64_t ns)
{
    struct timespec time = timespec_of(ns);

    ppoll(NULL, 0, &time, NULL);
}

static void by_pselect(int64_t ns)
{
    struct timespec time = timespec_of(ns);

    pselect(0, NULL, NULL, NULL, &time, NULL);
}

/* These count milliseconds. */
static void by_poll(int64_t ns)
{
    poll(NULL, 0, (int)((ns + MILLISECOND - 1) / MILLISECOND));
}

static void by_epoll(int64_t ns)
{
    static int instance = -1;
    struct epoll_event event;

    if (instance < 0)
        instance = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(instance, &event, 1, (int)((ns + MILLISECOND - 1) / MILLISECOND));
}

static void by_futex(int64_t ns)
{
    static uint32_t word;
    struct timespec time = timespec_of(ns);

    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0);
}

static void by_futex_instant(int64_t ns)
{
    static uint32_t word;
    struct timespec time = timespec_of(now(CLOCK_MONOTONIC) + ns);

    syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &time, NULL, ~0u);
}

static const struct {
    const char *name;
    void (*sleep)(int64_t ns);
} ways[] = {
    {"nanosleep", by_nanosleep}, {"clock_nanosleep", by_clock}, {"until an instant", by_instant}, {"until a date", by_date},
    {"ppoll", by_ppoll},         {"pselect", by_pselect},       {"poll", by_poll},                {"epoll_wait", by_epoll},
    {"futex", by_futex},         {"futex, until", by_futex_instant},
};

static int never_early(void (*sleep)(int64_t ns))
{
    static const unsigned long slacks_ns[] = {1, USUAL_NS, 3 * MILLISECOND, 20 * MILLISECOND};
    static uint32_t seed = 1;

    for (unsigned i = 0; i < 24; i++) {
        int64_t ns, before;

        seed = seed * 1103515245u + 12345u;
        ns = (seed >> 8) % (i % 2 ? 100000 : 3000000) + 1;
        set_slack(slacks_ns[i % 4]);
        before = now(CLOCK_MONOTONIC);
        sleep(ns);
        if (now(CLOCK_MONOTONIC) - before < ns)
            return 0;
    }
    return 1;
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "executed") == 0)
        return executed();
    answers();
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        CASE(ways[i].name, never_early(ways[i].sleep));
    return tap_finish();
}
