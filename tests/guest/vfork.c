/*
 * vfork: one memory for parent and child, and what is the child's own all the same: pid, dispositions, mask, descriptors, directory, floating point. Children
 * that do no more than end or execute a program, and children that do all that a process can (libos/posix/entry/lend.c). Runs on Linux as well.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

/* What processes tell each other, also those that have no memory in common otherwise. */
static struct {
    volatile pid_t child;
    volatile int go, seen;
} *board;

static volatile int handled;

static void on_signal(int number)
{
    handled += number;
}

static int status_of(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static bool exited(pid_t child, int value)
{
    int status = status_of(child);

    return WIFEXITED(status) && WEXITSTATUS(status) == value;
}

static bool killed(pid_t child, int signo)
{
    int status = status_of(child);

    return WIFSIGNALED(status) && WTERMSIG(status) == signo;
}

static void nap(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    nanosleep(&moment, NULL);
}

static void test_memory(void)
{
    static volatile int touched;
    static char *volatile mapping;
    volatile pid_t inside = 0, above = 0;
    pid_t self = getpid(), child = vfork();

    if (child == 0) {
        touched++;
        inside = getpid();
        above = getppid();
        mapping = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping != MAP_FAILED)
            mapping[7] = 'x';
        _exit(11);
    }
    CASE("the child has a pid of its own, and its parent's", inside == child && inside != self && above == self && getpid() == self);
    CASE("both have one memory", touched == 1);
    CASE("what the child maps is mapped for its parent", mapping != MAP_FAILED && mapping[7] == 'x' && munmap(mapping, PAGE) == 0);
    CASE("its end is reported", exited(child, 11));
    CASE("once", waitpid(child, NULL, 0) < 0 && errno == ECHILD);
    child = vfork();
    if (child == 0)
        syscall(SYS_exit, 12);
    CASE("it may end as a thread does", exited(child, 12));
}

static void test_signal_state(void)
{
    const struct sigaction handler = {.sa_handler = on_signal}, ignored = {.sa_handler = SIG_IGN};
    struct sigaction now, other;
    sigset_t mask, set;
    volatile bool started = false;
    pid_t child;

    sigaction(SIGUSR1, &handler, NULL);
    sigaction(SIGUSR2, &ignored, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    child = vfork();
    if (child == 0) {
        sigaction(SIGUSR1, NULL, &now);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        started = now.sa_handler == on_signal && sigismember(&mask, SIGHUP) && !sigismember(&mask, SIGTERM);
        signal(SIGUSR1, SIG_IGN);
        signal(SIGUSR2, SIG_DFL);
        sigfillset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
        _exit(0);
    }
    status_of(child);
    sigaction(SIGUSR1, NULL, &now);
    sigaction(SIGUSR2, NULL, &other);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    CASE("the child begins with its parent's dispositions and mask", started);
    CASE("and has its own", now.sa_handler == on_signal && other.sa_handler == SIG_IGN && sigismember(&mask, SIGHUP) && !sigismember(&mask, SIGTERM));
    handled = 0;
    kill(getpid(), SIGUSR2);
    raise(SIGUSR1);
    CASE("the parent's still work", handled == SIGUSR1);
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

static void test_floating_point(void)
{
    pid_t child = vfork();

    if (child == 0) {
        fesetround(FE_UPWARD);
        _exit(0);
    }
    status_of(child);
    CASE("the child's rounding is its own", fegetround() == FE_TONEAREST);
}

static void test_execution(void)
{
    static char *good[] = {(char *)"/proc/self/exe", (char *)"child", NULL}, *environment[] = {(char *)"A=b", NULL};
    volatile int error = 0;
    pid_t child = vfork();

    if (child == 0) {
        execve("/none", good, environment);
        error = errno;
        execve("/", good, environment);
        if (errno == EACCES)
            execve("/proc/self/exe", good, environment);
        _exit(127);
    }
    CASE("a program is executed after two that cannot be", error == ENOENT && exited(child, 33));
    child = vfork();
    if (child == 0) {
        execve("/none", good, environment);
        _exit(errno);
    }
    CASE("or none", exited(child, ENOENT));
    child = vfork();
    if (child == 0) {
        sigset_t set;

        sigfillset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
        signal(SIGUSR1, SIG_IGN);
        good[1] = (char *)"signals";
        execve("/proc/self/exe", good, environment);
        _exit(127);
    }
    CASE("the program has the child's mask and ignored signals", exited(child, 34));
    good[1] = (char *)"child";
}

/* This program as a file of another user's, with set-ID bits. */
static bool copy_self(const char *to)
{
    static char block[65536];
    int from = open("/proc/self/exe", O_RDONLY), copy = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    bool good = from >= 0 && copy >= 0;
    ssize_t got;

    while (good && (got = read(from, block, sizeof block)) != 0)
        good = got > 0 && write(copy, block, (size_t)got) == got;
    good = good && fchown(copy, 1000, 1000) == 0 && fchmod(copy, 06755) == 0;
    close(from);
    close(copy);
    return good;
}

static void test_set_ids(void)
{
    static char *arguments[] = {(char *)"setid", (char *)"ids", NULL}, *environment[] = {NULL};
    bool made = copy_self("/tmp/vfork-setid");
    pid_t child = vfork();

    if (child == 0) {
        execve("/tmp/vfork-setid", arguments, environment);
        _exit(127);
    }
    CASE("a set-ID program of root's child", made && exited(child, 36));
    child = vfork();
    if (child == 0) {
        if (setuid(2000) == 0)
            execve("/tmp/vfork-setid", arguments, environment);
        _exit(127);
    }
    CASE("and of another user's", made && exited(child, 36));
    unlink("/tmp/vfork-setid");
}

static void test_descriptors(void)
{
    struct stat before, after, folder;
    char text[8] = "";
    int ends[2];
    mode_t mask = umask(022);
    pid_t child;

    if (pipe(ends) < 0)
        return;
    umask(027);
    stat(".", &before);
    child = vfork();
    if (child == 0) {
        dup2(ends[1], 77);
        close(ends[0]);
        umask(077);
        _exit(chdir("/") < 0 || stat(".", &folder) < 0 || write(77, "hello", 5) != 5);
    }
    CASE("a child closes, copies, writes, moves", exited(child, 0));
    CASE("and its parent has what it had", fcntl(ends[0], F_GETFD) >= 0 && fcntl(77, F_GETFD) < 0 && stat(".", &after) == 0 && after.st_ino == before.st_ino &&
                                               umask(mask) == 027);
    CASE("and what was written", read(ends[0], text, sizeof text) == 5 && strcmp(text, "hello") == 0);
    close(ends[1]);
    CASE("nobody holds the pipe any more", read(ends[0], text, sizeof text) == 0);
    close(ends[0]);
}

static void test_faults(void)
{
    pid_t child = vfork();

    if (child == 0) {
        *(volatile int *)0x1234 = 1;
        _exit(0);
    }
    CASE("a child's wild pointer is its own end", killed(child, SIGSEGV));
    child = vfork();
    if (child == 0) {
        __asm__ volatile("int3");
        _exit(0);
    }
    CASE("so is its breakpoint", killed(child, SIGTRAP));
    child = vfork();
    if (child == 0) {
        kill(getpid(), SIGKILL); /* raise() is by the thread id that the C library remembers, the parent's */
        _exit(0);
    }
    CASE("it can kill itself", killed(child, SIGKILL));
}

static void leave_with_number(int number)
{
    _exit(number);
}

static void test_handlers(void)
{
    pid_t child = vfork();

    if (child == 0) {
        signal(SIGSEGV, leave_with_number);
        *(volatile int *)0x1234 = 1;
        _exit(0);
    }
    CASE("a child handles its own fault", exited(child, SIGSEGV));
    child = vfork();
    if (child == 0) {
        signal(SIGUSR2, leave_with_number);
        kill(getpid(), SIGUSR2);
        _exit(0);
    }
    CASE("and its own signal", exited(child, SIGUSR2));
}

/* A process that does something to whoever vforks next, as soon as its child runs. */
static pid_t helper(int signo, bool to_child)
{
    pid_t parent = getpid(), pid;

    board->child = 0;
    board->go = board->seen = 0;
    pid = fork();
    if (pid != 0)
        return pid;
    while (!board->child)
        nap();
    kill(to_child ? board->child : parent, signo);
    board->go = 1;
    _exit(0);
}

/* No call is made while the other one works: nothing but the child's own instructions runs. */
static pid_t spinning_child(bool for_ever)
{
    pid_t child = vfork();

    if (child == 0) {
        board->child = getpid();
        while (for_ever || !board->go)
            __asm__ volatile("pause");
        board->seen = handled;
        _exit(5);
    }
    return child;
}

static void test_signals_from_others(void)
{
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    pid_t other, child;

    signal(SIGUSR1, on_signal);
    other = helper(SIGTERM, true);
    child = spinning_child(true);
    CASE("a child that computes is terminated by a signal", killed(child, SIGTERM) && exited(other, 0));
    other = helper(SIGKILL, true);
    child = spinning_child(true);
    CASE("or killed", killed(child, SIGKILL) && exited(other, 0));
    handled = 0;
    other = helper(SIGUSR1, false);
    child = spinning_child(false);
    CASE("a signal for the parent waits until it goes on", handled == SIGUSR1 && board->seen == 0 && exited(child, 5) && exited(other, 0));
    signal(SIGALRM, on_signal);
    handled = 0;
    board->child = board->go = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    child = vfork();
    if (child == 0) {
        struct timespec now, start;

        clock_gettime(CLOCK_MONOTONIC, &start);
        do
            clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 60);
        board->seen = handled;
        _exit(5);
    }
    CASE("so does the parent's timer", handled == SIGALRM && board->seen == 0 && exited(child, 5));
    signal(SIGUSR1, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
}

static void test_more_processes(void)
{
    static volatile int value;
    pid_t child;

    value = 1;
    child = vfork();
    if (child == 0) {
        pid_t inner = vfork();

        if (inner == 0) {
            value = 2;
            _exit(3);
        }
        _exit(value == 2 && exited(inner, 3) ? 4 : 5);
    }
    CASE("a vfork child's vfork child", value == 2 && exited(child, 4));
    child = vfork();
    if (child == 0) {
        pid_t inner = fork();

        if (inner == 0) {
            value = 9;
            _exit(3);
        }
        _exit(exited(inner, 3) && value == 2 ? 4 : 5);
    }
    CASE("and its fork's", value == 2 && exited(child, 4));
    child = vfork();
    if (child == 0)
        _exit(setsid() == getpid() && getpgrp() == getpid() ? 4 : 5);
    CASE("a child with a session of its own", exited(child, 4) && getpgrp() != child);
}

static void test_stopping(void)
{
    int status;
    pid_t child;

    board->child = 0;
    child = fork();
    if (child == 0) { /* it has a child that stops, and so does not go on itself */
        pid_t inner = vfork();

        if (inner == 0) {
            board->child = getpid();
            kill(getpid(), SIGSTOP);
            _exit(6);
        }
        _exit(exited(inner, 6) ? 7 : 8);
    }
    while (!board->child)
        nap();
    nap();
    CASE("its parent waits while a child is stopped", waitpid(child, &status, WNOHANG) == 0);
    do { /* SIGCONT may come before the stop */
        kill(board->child, SIGCONT);
        nap();
    } while (waitpid(child, &status, WNOHANG) == 0);
    CASE("and goes on after it", WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void test_spawning(void)
{
    char *const good[] = {(char *)"/proc/self/exe", (char *)"input", NULL}, *const environment[] = {(char *)"A=b", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t set;
    pid_t child;
    int ends[2], made = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (pipe(ends) < 0 || posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attributes))
        return;
    signal(SIGUSR1, SIG_IGN);
    made = posix_spawn_file_actions_adddup2(&actions, ends[0], 0) || posix_spawn_file_actions_addclose(&actions, ends[1]) ||
           posix_spawnattr_setsigdefault(&attributes, &set) || posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    CASE("posix_spawn with actions and attributes", !made && posix_spawn(&child, good[0], &actions, &attributes, good, environment) == 0 &&
                                                        write(ends[1], "ok", 2) == 2 && close(ends[1]) == 0 && exited(child, 35));
    close(ends[0]);
    for (int i = 0; i < 40; i++) {
        char *const plain[] = {(char *)"/proc/self/exe", (char *)"child", NULL};

        made += posix_spawn(&child, plain[0], NULL, NULL, plain, environment) == 0 && exited(child, 33);
    }
    CASE("forty programs one after the other", made == 40);
    signal(SIGUSR1, SIG_DFL);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
}

static int as_child(const char *what)
{
    struct sigaction now;
    sigset_t mask;
    char text[8];

    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGUSR1, NULL, &now);
    if (strcmp(what, "child") == 0)
        return getenv("A") && strcmp(getenv("A"), "b") == 0 ? 33 : 1;
    if (strcmp(what, "ids") == 0)
        return geteuid() == 1000 && getegid() == 1000 && getuid() != 1000 ? 36 : 1;
    if (strcmp(what, "signals") == 0)
        return sigismember(&mask, SIGTERM) && now.sa_handler == SIG_IGN ? 34 : 1;
    return read(0, text, 8) == 2 && read(0, text, 8) == 0 && now.sa_handler == SIG_DFL && getpgrp() == getpid() ? 35 : 1;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return as_child(argv[1]);
    board = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return 1;
    test_memory();
    test_signal_state();
    test_floating_point();
    test_execution();
    test_set_ids();
    test_descriptors();
    test_faults();
    test_handlers();
    test_signals_from_others();
    test_more_processes();
    test_stopping();
    test_spawning();
    return tap_finish();
}
