/*
 * Limits of other processes (prlimit), the number of a user's processes (RLIMIT_NPROC), and who takes orphans (PR_SET_CHILD_SUBREAPER). The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define USER 4711

static int status_of(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A child that says when it is ready, and then does `work` when it is told to. */
static pid_t with(int (*work)(void), int *go)
{
    int ready[2], start[2];
    char byte;
    pid_t child;

    if (pipe(ready) || pipe(start))
        return -1;
    child = fork();
    if (child == 0) {
        close(start[1]);
        write(ready[1], "", 1);
        read(start[0], &byte, 1);
        _exit(work());
    }
    close(start[0]);
    close(ready[1]);
    read(ready[0], &byte, 1);
    close(ready[0]);
    *go = start[1];
    return child;
}

static int sees_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur != 5 || limit.rlim_max != 100)
        return 1;
    return FAILS(open("/dev/null", O_RDONLY), EMFILE) || FAILS(dup(0), EMFILE) ? 0 : 2;
}

static int as_user(int (*work)(void))
{
    pid_t child = fork();

    if (child == 0) {
        if (setgid(USER) || setuid(USER))
            _exit(100);
        _exit(work());
    }
    return status_of(child);
}

static pid_t roots_child;

static int refused(void)
{
    struct rlimit limit = {1, 1};

    return FAILS(prlimit(roots_child, RLIMIT_NOFILE, NULL, &limit), EPERM) && FAILS(prlimit(roots_child, RLIMIT_NOFILE, &limit, NULL), EPERM) ? 0 : 1;
}

static int own_child(void)
{
    struct rlimit limit = {7, 50}, more = {7, 51}, old;
    int go, good;
    pid_t child = with(sees_limit, &go);

    good = prlimit(child, RLIMIT_NOFILE, &limit, NULL) == 0 && prlimit(child, RLIMIT_NOFILE, NULL, &old) == 0 && old.rlim_cur == 7 && old.rlim_max == 50 &&
           FAILS(prlimit(child, RLIMIT_NOFILE, &more, NULL), EPERM);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return !good;
}

static void test_limits(void)
{
    struct rlimit limit = {5, 100}, old = {0, 0}, now, bad = {6, 5};
    int go;
    pid_t child = with(sees_limit, &go);

    roots_child = child;
    CASE("asked for", prlimit(child, RLIMIT_NOFILE, NULL, &old) == 0 && old.rlim_cur > 5);
    CASE("set, with what was before", prlimit(child, RLIMIT_NOFILE, &limit, &now) == 0 && now.rlim_cur == old.rlim_cur);
    CASE("set", prlimit(child, RLIMIT_NOFILE, NULL, &now) == 0 && now.rlim_cur == 5 && now.rlim_max == 100);
    CASE("one's own is as it was", getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == old.rlim_cur);
    CASE("another user's: refused", as_user(refused) == 0);
    close(go);
    CASE("it holds there", status_of(child) == 0);
    CASE("soft above hard", FAILS(prlimit(getpid(), RLIMIT_NOFILE, &bad, NULL), EINVAL));
    CASE("nobody has this number", FAILS(prlimit(999999, RLIMIT_NOFILE, NULL, &now), ESRCH) && FAILS(prlimit(child, RLIMIT_NOFILE, NULL, &now), ESRCH));
    CASE("no such limit", FAILS(prlimit(0, 99, NULL, &now), EINVAL));
    CASE("a user's own child; no higher hard limit", as_user(own_child) == 0);
}

static int few_processes(void)
{
    struct rlimit limit = {3, 3};
    pid_t child[3];

    if (setrlimit(RLIMIT_NPROC, &limit))
        return 1;
    for (int i = 0; i < 3; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            pause();
            _exit(0);
        }
    }
    if (child[0] < 0 || child[1] < 0 || child[2] != -1 || errno != EAGAIN)
        return 2;
    kill(child[0], SIGKILL);
    waitpid(child[0], NULL, 0);
    child[0] = fork();
    if (child[0] == 0)
        _exit(0);
    kill(child[1], SIGKILL);
    return child[0] > 0 && waitpid(child[0], NULL, 0) == child[0] && waitpid(child[1], NULL, 0) == child[1] ? 0 : 3;
}

static int root_is_free(void)
{
    struct rlimit limit = {0, 0};
    pid_t child;

    setrlimit(RLIMIT_NPROC, &limit);
    child = fork();
    if (child == 0)
        _exit(5);
    return status_of(child) == 5 ? 0 : 1;
}

static void test_nproc(void)
{
    pid_t child;

    CASE("three processes of a user, and no fourth", as_user(few_processes) == 0);
    child = fork();
    if (child == 0)
        _exit(root_is_free());
    CASE("root is not counted", status_of(child) == 0);
}

/* The caller's child ends and leaves one of its own, whose number comes by the pipe. */
static pid_t orphan(int code, bool living)
{
    int pipe_ends[2], end[2];
    pid_t child, grandchild = -1;

    pipe(pipe_ends);
    pipe(end);
    child = fork();
    if (child == 0) {
        grandchild = fork();
        if (grandchild == 0) {
            char byte;

            close(end[1]);
            if (living)
                read(end[0], &byte, 1); /* until its parent has ended */
            _exit(code);
        }
        if (!living)
            waitid(P_PID, (id_t)grandchild, &(siginfo_t){0}, WEXITED | WNOWAIT);
        write(pipe_ends[1], &grandchild, sizeof grandchild);
        _exit(0);
    }
    close(pipe_ends[1]);
    close(end[0]);
    read(pipe_ends[0], &grandchild, sizeof grandchild);
    close(pipe_ends[0]);
    if (status_of(child) != 0)
        grandchild = -1;
    close(end[1]);
    return grandchild;
}

static void test_subreaper(void)
{
    int flag = 7;
    pid_t child;

    CASE("not asked for", prctl(PR_GET_CHILD_SUBREAPER, &flag) == 0 && flag == 0);
    CASE("orphans are init's", status_of(orphan(3, true)) == -1 && errno == ECHILD);
    CASE("asked for", prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_GET_CHILD_SUBREAPER, &flag) == 0 && flag == 1);
    CASE("an orphan becomes a child", status_of(orphan(3, true)) == 3);
    CASE("one that has ended before its parent, too", status_of(orphan(4, false)) == 4);
    child = fork();
    if (child == 0) {
        prctl(PR_GET_CHILD_SUBREAPER, &flag);
        _exit(flag);
    }
    CASE("a child has it not", status_of(child) == 0);
    child = fork();
    if (child == 0)
        _exit(status_of(orphan(5, true)) == -1 ? 0 : 1); /* goes past it, to who reaps */
    CASE("from deeper below", status_of(child) == 0);
    CASE("it is here", waitpid(-1, &flag, 0) > 0 && WEXITSTATUS(flag) == 5);
    CASE("taken back", prctl(PR_SET_CHILD_SUBREAPER, 0) == 0 && status_of(orphan(6, true)) == -1);
    CASE("nobody is left", FAILS(waitpid(-1, NULL, 0), ECHILD));
}

int main(void)
{
    test_limits();
    test_nproc();
    test_subreaper();
    return tap_finish();
}
