/*
 * Fork, vfork, wait, groups, sessions, stopping, ids, and what a child inherits.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static volatile sig_atomic_t children_seen;

static void on_child(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)info, (void)context;
    children_seen++;
}

static int status_of(pid_t child)
{
    int status = -1;

    return waitpid(child, &status, 0) == child ? status : -1;
}

static void test_fork(void)
{
    int status, private = 1, *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork(), parent = getpid();

    if (child == 0) {
        private = 2;
        *shared = (int)getppid();
        _exit(getpid() == (pid_t)syscall(SYS_gettid) ? 17 : 1);
    }
    status = status_of(child);
    CASE("a child's exit status", WIFEXITED(status) && WEXITSTATUS(status) == 17);
    CASE("memory is copied", private == 1);
    CASE("shared memory is shared, and the parent is known", *shared == parent);
    CASE("then there is nobody to wait for", wait(NULL) == -1 && errno == ECHILD);
    CASE("waiting for a stranger", waitpid(1, NULL, 0) == -1 && errno == ECHILD);
}

static void test_wait(void)
{
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    int ends[2], status;
    pid_t slow, quick;
    siginfo_t info;
    struct rusage usage;

    if (pipe(ends) < 0)
        return;
    sigaction(SIGCHLD, &action, NULL);
    children_seen = 0;
    slow = fork();
    if (slow == 0) {
        char byte;

        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 5 : 6);
    }
    CASE("WNOHANG while it runs", waitpid(slow, &status, WNOHANG) == 0 && waitpid(-1, &status, WNOHANG) == 0);
    quick = fork();
    if (quick == 0)
        _exit(4);
    CASE("waiting for one of two", waitpid(quick, &status, 0) == quick && WEXITSTATUS(status) == 4);
    CASE("SIGCHLD came", children_seen == 1);
    CASE("the other still runs", waitpid(-1, &status, WNOHANG) == 0);
    close(ends[1]);
    CASE("waitid WNOWAIT leaves it", waitid(P_PID, (id_t)slow, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == slow && info.si_status == 5 &&
                                         info.si_code == CLD_EXITED);
    CASE("wait4 takes it", wait4(-1, &status, 0, &usage) == slow && WEXITSTATUS(status) == 5);
    CASE("wrong options", waitpid(-1, &status, 0x40) == -1 && errno == EINVAL);
    CASE("waitid without a wish", waitid(P_ALL, 0, &info, 0) == -1 && errno == EINVAL);
    close(ends[0]);
}

static void test_ignored_children(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    pid_t child;

    sigaction(SIGCHLD, &action, NULL);
    child = fork();
    if (child == 0)
        _exit(0);
    CASE("an ignored SIGCHLD leaves no zombie", waitpid(child, NULL, 0) == -1 && errno == ECHILD);
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
}

static void test_stop(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    CASE("WUNTRACED tells of a stop", waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CASE("once", waitpid(child, &status, WUNTRACED | WNOHANG) == 0);
    kill(child, SIGCONT);
    CASE("WCONTINUED tells of the continuation", waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    status = status_of(child);
    CASE("a stopped process can be killed", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Nothing that comes after it is done, whichever way the process names itself. */
static void test_own_end(void)
{
    char byte;

    for (int way = 0; way < 4; way++) {
        int end[2], status;
        ssize_t said;
        pid_t child;

        if (pipe(end) != 0)
            return;
        child = fork();
        if (child == 0) {
            if (way == 1 || way == 2)
                setpgid(0, 0);
            if (way == 3)
                raise(SIGKILL);
            else
                kill(way == 0 ? getpid() : way == 1 ? -getpid() : 0, SIGKILL);
            (void)!write(end[1], "x", 1);
            _exit(0);
        }
        close(end[1]);
        said = read(end[0], &byte, 1);
        close(end[0]);
        status = status_of(child);
        CASE("who kills itself does not come back", said == 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

static void spin(void)
{
    for (volatile unsigned long i = 0;; i++)
        ;
}

static void test_spinning(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        spin();
    kill(child, SIGTERM);
    status = status_of(child);
    CASE("a spinning process takes a signal", WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    child = fork();
    if (child == 0)
        spin();
    kill(child, SIGSTOP);
    CASE("a spinning process stops", waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    kill(child, SIGKILL);
    status_of(child);
}

static void test_vfork(void)
{
    volatile int touched = 0;
    int status;
    pid_t child = vfork();

    if (child == 0) {
        touched = 1;
        _exit(9);
    }
    CASE("vfork's child shares memory and goes first", touched == 1);
    status = status_of(child);
    CASE("vfork's child is waited for", WEXITSTATUS(status) == 9);
}

/* What a vfork child forks must not see what the vfork parent writes afterwards (busybox's timeout does this). */
static void test_fork_inside_vfork(void)
{
    static volatile int value[4096];
    int ends[2], status, seen = 0;
    pid_t child;

    if (pipe(ends) < 0)
        return;
    value[0] = 1;
    child = vfork();
    if (child == 0) {
        if (fork() == 0) {
            usleep(50000);
            seen = value[0];
            _exit(write(ends[1], &seen, sizeof(seen)) != sizeof(seen));
        }
        _exit(0);
    }
    value[0] = 2;
    status = status_of(child);
    CASE("a child of a vfork child has its own memory", status == 0 && read(ends[0], &seen, sizeof(seen)) == sizeof(seen) && seen == 1);
    close(ends[0]);
    close(ends[1]);
}

static void test_spawn(void)
{
    char *const good[] = {"/proc/self/exe", "child", NULL}, *const environment[] = {"A=b", NULL};
    pid_t child;
    int status;

    CASE("posix_spawn", posix_spawn(&child, good[0], NULL, NULL, good, environment) == 0);
    status = status_of(child);
    CASE("the new program ran", WIFEXITED(status) && WEXITSTATUS(status) == 33);
    CASE("posix_spawn of nothing", posix_spawn(&child, "/none", NULL, NULL, good, environment) == ENOENT);
}

static void test_groups(void)
{
    int status, ends[2];
    char byte;
    pid_t child;

    if (pipe(ends) < 0)
        return;
    child = fork();
    if (child == 0) {
        pid_t me = getpid();
        int good = getpgrp() != me && setpgid(0, 0) == 0 && getpgrp() == me && setsid() == -1 && errno == EPERM;

        _exit(good ? 0 : 1);
    }
    status = status_of(child);
    CASE("setpgid makes a group, whose leader makes no session", status == 0);
    child = fork();
    if (child == 0) {
        pid_t me = getpid();

        _exit(setsid() == me && getsid(0) == me && getpgrp() == me && setpgid(0, 0) == -1 && errno == EPERM ? 0 : 1);
    }
    CASE("setsid", status_of(child) == 0);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        for (int i = 0; i < 2; i++)
            if (fork() == 0)
                for (;;)
                    pause();
        kill(0, SIGTERM);
        for (;;)
            pause();
    }
    setpgid(child, child);
    status = status_of(child);
    CASE("kill(0) reaches the whole group", WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    close(ends[1]);
    CASE("nobody is left of it", read(ends[0], &byte, 1) == 0);
    close(ends[0]);
    CASE("getpgid of nobody", getpgid(32000) == -1 && errno == ESRCH);
}

static void test_ids(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        gid_t groups[3] = {7, 8, 9}, got[3];
        uid_t real, effective, saved;

        if (setgroups(3, groups) || getgroups(3, got) != 3 || got[2] != 9 || getgroups(2, got) != -1)
            _exit(1);
        if (setresgid(5, 6, 7) || getegid() != 6 || setresuid(100, 200, 300) || getresuid(&real, &effective, &saved))
            _exit(2);
        if (real != 100 || effective != 200 || saved != 300 || setuid(0) != -1 || errno != EPERM || seteuid(300) != 0)
            _exit(3);
        if (kill(1, 0) != -1 || errno != EPERM || setgroups(0, NULL) != -1)
            _exit(4);
        _exit(geteuid() == 300 ? 0 : 5);
    }
    status = status_of(child);
    CASE("user and group ids", WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_inheritance(void)
{
    char name[16] = "";
    int status;
    pid_t child;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR2);
    prctl(PR_SET_NAME, "a-long-name-that-is-cut");
    alarm(100);
    child = fork();
    if (child == 0) {
        sigset_t pending, mask;

        sigpending(&pending);
        sigprocmask(SIG_BLOCK, NULL, &mask);
        prctl(PR_GET_NAME, name);
        if (sigismember(&pending, SIGUSR2))
            _exit(1);
        if (!sigismember(&mask, SIGUSR2))
            _exit(2);
        if (strcmp(name, "a-long-name-tha") != 0)
            _exit(3);
        _exit(alarm(0) == 0 ? 0 : 4);
    }
    status = status_of(child);
    alarm(0);
    CASE("a child has the mask and the name, but no pending signals and no alarm", status == 0);
    signal(SIGUSR2, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void test_floating_point(void)
{
    double before = 2.25, after = 0;
    long child;

    __asm__ volatile("movsd %2, %%xmm7\n\tmov $57, %%eax\n\tsyscall\n\tmovsd %%xmm7, %1" : "=&a"(child), "=m"(after) : "m"(before)
                     : "rcx", "r11", "xmm7", "memory");
    if (child == 0)
        _exit(after == 2.25 ? 0 : 1);
    CASE("vector registers go over a fork", status_of((pid_t)child) == 0 && after == 2.25);
}

/* Neighbours that compute while others fork and take signals: nobody may see another's registers. */
static double compute(unsigned seed)
{
    double x = seed, y = 1.0 / (seed + 1);

    for (int i = 0; i < 20000; i++)
        y = y * 0.9999 + x * 0.0001 + (double)i * 1e-9;
    return y;
}

static void test_floating_point_neighbours(void)
{
    enum { MANY = 6 };
    pid_t children[MANY];
    int good = 1;

    for (unsigned i = 0; i < MANY; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            double expected = compute(i);

            for (int round = 0; round < 30; round++) {
                pid_t child = fork();

                if (child == 0)
                    _exit(compute(i) != expected);
                if (compute(i) != expected || status_of(child) != 0)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (unsigned i = 0; i < MANY; i++)
        good = status_of(children[i]) == 0 && good;
    CASE("floating point is undisturbed by forking neighbours", good);
}

static void test_clone(void)
{
    static int parent_tid, child_tid;
    int status;
    long child;

    child = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &parent_tid, &child_tid, 0);
    if (child == 0)
        _exit(child_tid == getpid() && parent_tid == 0 ? 0 : 1);
    status = status_of((pid_t)child);
    CASE("clone sets the ids that it is asked to", status == 0 && parent_tid == child && child_tid == 0);
    CASE("a session leader cannot be made from nothing", syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0) == -1);
}

static void test_orphan(void)
{
    int ends[2];
    pid_t child, seen = 0;

    if (pipe(ends) < 0)
        return;
    child = fork();
    if (child == 0) {
        if (fork() == 0) {
            pid_t parent;

            while (getppid() != 1)
                usleep(1000);
            parent = getppid();
            _exit(write(ends[1], &parent, sizeof(parent)) != sizeof(parent));
        }
        _exit(0); /* at once: the grandchild may not even have begun */
    }
    status_of(child);
    CASE("an orphan's parent is init", read(ends[0], &seen, sizeof(seen)) == sizeof(seen) && seen == 1);
    close(ends[0]);
    close(ends[1]);
}

static void test_many(void)
{
    enum { MANY = 60 };
    pid_t children[MANY];
    int good = 1;

    for (int i = 0; i < MANY; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(i);
        good = good && children[i] > 0;
    }
    for (int i = MANY - 1; i >= 0; i--) {
        int status = status_of(children[i]);

        good = good && WIFEXITED(status) && WEXITSTATUS(status) == i;
    }
    CASE("sixty children, each with its own status", good);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return getenv("A") && strcmp(getenv("A"), "b") == 0 ? 33 : 34;
    test_fork();
    test_wait();
    test_ignored_children();
    test_stop();
    test_own_end();
    test_spinning();
    test_vfork();
    test_fork_inside_vfork();
    test_spawn();
    test_groups();
    test_ids();
    test_inheritance();
    test_floating_point();
    test_floating_point_neighbours();
    test_clone();
    test_orphan();
    test_many();
    return tap_finish();
}
