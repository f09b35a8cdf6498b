/*
 * Capabilities as daemons use them: kept over a change of user, turned on again, given up. Every case passes on Linux as well, as root.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define NET_BIND_SERVICE (1u << 10)
#define SYS_TIME (1u << 25)

static struct {
    uint32_t version;
    int pid;
} header = {.version = 0x20080522};
static struct {
    uint32_t effective, permitted, inheritable;
} data[2];

static int get(void)
{
    return (int)syscall(SYS_capget, &header, data);
}

static int set(uint32_t effective, uint32_t permitted)
{
    data[0].effective = effective;
    data[0].permitted = permitted;
    data[0].inheritable = data[1].effective = data[1].permitted = data[1].inheritable = 0;
    return (int)syscall(SYS_capset, &header, data);
}

/* Each in a process of its own: the number of the first expectation that does not hold, or 0. */
static int status_of(int (*body)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(body());
    waitpid(child, &status, 0);
    return status;
}

static int keeps(void)
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresuid(1000, 1000, 1000) != 0)
        return 1;
    if (get() != 0 || data[0].effective != 0 || !(data[0].permitted & NET_BIND_SERVICE))
        return 2;
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0 || set(NET_BIND_SERVICE, NET_BIND_SERVICE | SYS_TIME) != 0)
        return 3;
    if (get() != 0 || data[0].effective != NET_BIND_SERVICE || data[0].permitted != (NET_BIND_SERVICE | SYS_TIME) || data[1].permitted != 0)
        return 4;
    if (set(SYS_TIME, NET_BIND_SERVICE) == 0 || errno != EPERM) /* on, but not kept */
        return 5;
    if (set(0, ~0u) == 0 || errno != EPERM) /* more than there is */
        return 6;
    if (set(0, 0) != 0 || get() != 0 || data[0].permitted != 0)
        return 7;
    return set(0, NET_BIND_SERVICE) == 0 || errno != EPERM ? 8 : 0;
}

static int inherits(void)
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresuid(1000, 1000, 1000) != 0 || set(0, SYS_TIME) != 0)
        return 1;
    return status_of(get) != 0 || get() != 0 || data[0].permitted != SYS_TIME ? 2 : 0;
}

static int does_not_keep(void)
{
    if (setresuid(1000, 1000, 1000) != 0)
        return 1;
    if (get() != 0 || data[0].effective != 0 || data[0].permitted != 0)
        return 2;
    return set(0, NET_BIND_SERVICE) == 0 || errno != EPERM ? 3 : 0;
}

static int asks_too_late(void)
{
    if (setresuid(1000, 1000, 1000) != 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return 1;
    return set(0, NET_BIND_SERVICE) == 0 || errno != EPERM ? 2 : 0;
}

int main(void)
{
    CASE("kept over a change of user, and given up", status_of(keeps) == 0);
    CASE("a child has them, too", status_of(inherits) == 0);
    CASE("lost if nobody keeps them", status_of(does_not_keep) == 0);
    CASE("lost if it is asked for too late", status_of(asks_too_late) == 0);
    return tap_finish();
}
