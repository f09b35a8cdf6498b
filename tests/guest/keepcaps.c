/*
 * What root keeps when it becomes somebody else (PR_SET_KEEPCAPS), of the capabilities on users and groups: off until capset has them on, gone when capset
 * gives them up or a program is executed, inherited by fork. Runs as root, on Linux as well.
 *
 * guest-test:
 */
#include "tap.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION_3 0x20080522u
#define GROUPS (1u << 6) /* CAP_SETGID */
#define USERS (1u << 7)  /* CAP_SETUID */

struct header {
    unsigned version;
    int pid;
};
struct data {
    unsigned effective, permitted, inheritable;
};

/* 0 or the error. */
static int set(unsigned effective, unsigned permitted)
{
    struct header header = {VERSION_3, 0};
    struct data data[2] = {{effective, permitted, 0}, {0, 0, 0}};

    return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

static bool has(unsigned effective, unsigned permitted)
{
    struct header header = {VERSION_3, 0};
    struct data data[2];

    return syscall(SYS_capget, &header, data) == 0 && data[0].effective == effective && (data[0].permitted & (GROUPS | USERS)) == permitted;
}

static int user(unsigned id)
{
    return syscall(SYS_setresuid, id, id, id) == 0 ? 0 : errno;
}

static int group(unsigned id)
{
    return syscall(SYS_setresgid, id, id, id) == 0 ? 0 : errno;
}

static int groups(gid_t one)
{
    return syscall(SYS_setgroups, 1, &one) == 0 ? 0 : errno;
}

/* How many of the child's checks hold: one bit each. */
static unsigned in_child(unsigned (*body)(void))
{
    int ends[2], status;
    unsigned held = 0;
    pid_t pid;

    if (pipe(ends) != 0 || (pid = fork()) < 0)
        exit(99);
    if (pid == 0) {
        held = body();
        _exit(write(ends[1], &held, sizeof held) != sizeof held);
    }
    waitpid(pid, &status, 0);
    close(ends[1]);
    if (read(ends[0], &held, sizeof held) != sizeof held)
        held = 0;
    close(ends[0]);
    return held;
}

#define HOLDS(bit, condition) ((condition) ? 1u << (bit) : 0)

static unsigned plain(void)
{
    return HOLDS(0, user(33) == 0 && has(0, 0)) | HOLDS(1, set(GROUPS, GROUPS) == EPERM && group(33) == EPERM && groups(5) == EPERM && user(0) == EPERM);
}

static unsigned grandchild(void)
{
    return HOLDS(0, group(6) == 0 && user(36) == 0);
}

static unsigned keeping(void)
{
    unsigned held = HOLDS(0, prctl(PR_SET_KEEPCAPS, 1) == 0 && user(33) == 0 && has(0, GROUPS | USERS));

    held |= HOLDS(1, group(33) == EPERM && groups(5) == EPERM && user(34) == EPERM);
    held |= HOLDS(2, set(GROUPS, GROUPS | USERS) == 0 && has(GROUPS, GROUPS | USERS));
    held |= HOLDS(3, group(33) == 0 && getegid() == 33 && groups(5) == 0 && getgroups(0, NULL) == 1);
    held |= HOLDS(4, user(34) == EPERM && user(33) == 0);
    held |= HOLDS(5, set(GROUPS | USERS, GROUPS | USERS) == 0 && user(34) == 0 && geteuid() == 34 && has(GROUPS | USERS, GROUPS | USERS));
    held |= HOLDS(6, in_child(grandchild) == 1);
    held |= HOLDS(7, set(0, 0) == 0 && group(35) == EPERM && user(35) == EPERM && groups(6) == EPERM && user(0) == EPERM);
    held |= HOLDS(8, set(GROUPS, GROUPS) == EPERM && has(0, 0));
    return held;
}

static unsigned becoming_root(void)
{
    return HOLDS(0, prctl(PR_SET_KEEPCAPS, 1) == 0 && user(33) == 0 && set(USERS, GROUPS | USERS) == 0 && user(0) == 0 && group(9) == 0);
}

static unsigned executing(void)
{
    int status;
    pid_t pid;

    if (prctl(PR_SET_KEEPCAPS, 1) != 0 || user(33) != 0 || set(GROUPS | USERS, GROUPS | USERS) != 0 || (pid = vfork()) < 0)
        return 0;
    if (pid == 0) {
        execl("/proc/self/exe", "keepcaps", "executed", (char *)NULL);
        _exit(98);
    }
    return HOLDS(0, waitpid(pid, &status, 0) == pid && status == 0) | HOLDS(1, group(40) == 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return !(has(0, 0) && group(7) == EPERM && user(7) == EPERM && groups(7) == EPERM && prctl(PR_GET_KEEPCAPS) == 0);
    CASE("who keeps nothing has nothing", in_child(plain) == 3);
    CASE("who keeps sets ids when he has it on", in_child(keeping) == 0x1ff);
    CASE("and may become root again", in_child(becoming_root) == 1);
    CASE("a program that he executes has nothing, and he still has", in_child(executing) == 3);
    return tap_finish();
}
