/*
 * Signals that meet forks, stops, continues and waits, and locks that two take: each case is a window that is a few instructions wide, tried so often
 * that a slice ends in it now and then. A lost signal shows as a process that sleeps for ever: the alarm in main ends the program then. Runs on Linux as well.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static volatile sig_atomic_t children_seen;

static void on_child(int signo)
{
    (void)signo;
    children_seen = 1;
}

static void ignore(int signo)
{
    (void)signo;
}

static void install(int signo, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaction(signo, &action, NULL);
}

static pid_t start(void (*body)(void))
{
    pid_t child = fork();

    if (child == 0) {
        body();
        _exit(0);
    }
    return child;
}

static void spin(void)
{
    for (;;)
        __asm__ volatile("");
}

static void call_kernel(void)
{
    for (;;)
        if (write(-1, "", 1) == 0)
            _exit(1);
}

static void sleep_long(void)
{
    for (;;)
        pause();
}

/* As shells wait: look, and if there is nothing sleep for SIGCHLD. The news must be there when the signal is. */
static int reap_by_signal(int options)
{
    sigset_t none, before, all;
    int status = 0;

    sigemptyset(&none);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    for (;;) {
        pid_t pid;

        children_seen = 0;
        pid = waitpid(-1, &status, options | WNOHANG);
        if (pid)
            break;
        while (!children_seen)
            sigsuspend(&none);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

static void test_sigchld_brings_news(void)
{
    pid_t neighbours[2] = {start(spin), start(call_kernel)}; /* slices end everywhere */
    int good = 1;

    install(SIGCHLD, on_child, 0);
    for (int i = 0; i < 400; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(i & 127);
        good &= reap_by_signal(0) == (i & 127) << 8;
    }
    CASE("SIGCHLD comes with something to wait for: ends", good);
    for (int i = 0; i < 150; i++) {
        pid_t child = start(i % 2 ? call_kernel : sleep_long);

        kill(child, SIGSTOP);
        good &= WIFSTOPPED(reap_by_signal(WUNTRACED));
        kill(child, SIGCONT);
        good &= WIFCONTINUED(reap_by_signal(WUNTRACED | WCONTINUED));
        kill(child, SIGTERM);
        good &= WIFSIGNALED(reap_by_signal(WUNTRACED));
    }
    CASE("SIGCHLD comes with something to wait for: stops and continues", good);
    install(SIGCHLD, SIG_DFL, 0);
    for (int i = 0; i < 2; i++) {
        kill(neighbours[i], SIGKILL);
        waitpid(neighbours[i], NULL, 0);
    }
}

/* A wait that a child's end wakes returns the child, whatever handler SIGCHLD has: it is not interrupted. */
static void test_wait_before_handler(void)
{
    int good = 1;

    install(SIGCHLD, on_child, 0);
    for (int i = 0; i < 400; i++) {
        pid_t child = fork();
        int status = -1;

        if (child == 0)
            _exit(3);
        good &= waitpid(child, &status, 0) == child && status == 3 << 8;
    }
    install(SIGCHLD, SIG_DFL, 0);
    CASE("the end of a child does not interrupt the wait for it", good);
}

/* Forks as fast as it can. The bare call: musl's fork blocks all signals, and a child never gets what its parent has blocked. */
static void breed(void)
{
    for (int i = 0; i < 200; i++)
        if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
            sleep_long();
    sleep_long();
}

/* The pipe's other end is held by all that are left. */
static int all_gone(int reader, pid_t group)
{
    struct pollfd end = {.fd = reader, .events = POLLIN};
    int gone = poll(&end, 1, 20000) == 1;

    if (!gone) {
        printf("# of the group some are left\n");
        if (kill(-group, SIGKILL) == 0 && poll(&end, 1, 20000) != 1)
            printf("# even after SIGKILL\n");
    }
    close(reader);
    return gone;
}

static void test_group_signal_and_fork(int signo, const char *name)
{
    int good = 1;

    for (int i = 0; i < 30 && good; i++) {
        pid_t breeder;
        int ends[2];

        good &= pipe(ends) == 0;
        breeder = fork();
        if (breeder == 0) {
            setpgid(0, 0);
            close(ends[0]);
            breed();
        }
        close(ends[1]);
        setpgid(breeder, breeder);
        usleep((useconds_t)(i * 97 % 4000));
        if (kill(-breeder, signo) < 0 || waitpid(breeder, NULL, 0) != breeder) {
            printf("# round %d: kill or wait: errno %d\n", i, errno);
            good = 0;
        }
        good &= all_gone(ends[0], breeder);
    }
    CASE(name, good);
}

/* The letter of /proc/PID/stat. */
static char state_of(pid_t pid)
{
    char name[32], text[256] = "";
    FILE *file;
    char *end;

    snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    file = fopen(name, "r");
    if (file) {
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
    end = strrchr(text, ')');
    return end && end[1] ? end[2] : '?';
}

/* Told so, or found so: what was told first may have been the stop before. */
static int stays_stopped(pid_t child)
{
    int status;

    for (int i = 0; i < 20000 && state_of(child) != 'T'; i++)
        usleep(500);
    while (waitpid(child, &status, WUNTRACED | WCONTINUED | WNOHANG) == child)
        ;
    return state_of(child) == 'T';
}

/* Stop and continue in quick succession: the last word counts. */
static void test_last_word(void (*body)(void), int stop, const char *name)
{
    pid_t child = fork();
    int good = 1, status;

    if (child == 0) {
        setpgid(0, 0);
        body();
    }
    setpgid(child, child);
    for (int i = 0; i < 150 && good; i++) {
        kill(child, stop);
        if (i % 3 == 0)
            usleep((useconds_t)(i * 7 % 50));
        kill(child, SIGCONT);
        if (i % 2)
            usleep((useconds_t)(i * 13 % 50));
        kill(child, stop);
        good &= stays_stopped(child);
        kill(child, SIGCONT);
        good &= waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CASE(name, good);
}

static void test_stopped_process(void)
{
    pid_t child = start(sleep_long);
    int status;

    kill(child, SIGSTOP);
    CASE("a stop is told", waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CASE("once", waitpid(child, &status, WUNTRACED | WCONTINUED | WNOHANG) == 0);
    kill(child, SIGUSR1);
    usleep(20000);
    CASE("a signal waits while it is stopped", waitpid(child, &status, WUNTRACED | WNOHANG) == 0);
    kill(child, SIGCONT);
    CASE("and is taken when it goes on", waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    child = start(sleep_long);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    CASE("SIGKILL ends a stopped process", waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    child = fork();
    if (child == 0) {
        signal(SIGCONT, ignore);
        raise(SIGSTOP);
        _exit(7);
    }
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGTSTP);
    kill(child, SIGCONT);
    CASE("SIGCONT takes stops back that wait", waitpid(child, &status, WUNTRACED) == child && WIFEXITED(status));
}

/* A parent killed by its own newborn: the child lives on. */
static void test_parent_killed_by_child(void)
{
    int good = 1;

    for (int i = 0; i < 150; i++) {
        int ends[2], status;
        char byte = 0;
        pid_t parent;

        good &= pipe(ends) == 0;
        parent = fork();
        if (parent == 0) {
            pid_t self = getpid();

            if (fork() == 0) {
                kill(self, SIGKILL);
                _exit(write(ends[1], "x", 1) != 1);
            }
            sleep_long();
        }
        close(ends[1]);
        good &= waitpid(parent, &status, 0) == parent && WIFSIGNALED(status);
        good &= read(ends[0], &byte, 1) == 1 && byte == 'x';
        close(ends[0]);
    }
    CASE("a child that kills its parent at once lives on", good);
}

/* Somebody kills children of a process that forks, by their numbers, as soon as they exist: its fork never fails for that. */
static void hunt(pid_t forker)
{
    pid_t last = forker;

    for (;;)
        for (pid_t pid = last + 1; pid < last + 8; pid++)
            if (pid != getpid() && getpgid(pid) == forker && kill(pid, SIGKILL) == 0)
                last = pid;
}

static void test_killed_newborn(void)
{
    pid_t forker = fork(), hunter;
    int status;

    if (forker == 0) {
        setpgid(0, 0);
        for (int i = 0; i < 800; i++) {
            pid_t child = fork();

            if (child == 0)
                _exit(0);
            if (child < 0 || waitpid(child, &status, 0) != child)
                _exit(1);
        }
        _exit(0);
    }
    setpgid(forker, forker);
    hunter = fork();
    if (hunter == 0)
        hunt(forker);
    CASE("a fork does not fail because its child is killed", waitpid(forker, &status, 0) == forker && status == 0);
    kill(hunter, SIGKILL);
    waitpid(hunter, &status, 0);
}

static void test_late_setpgid(void)
{
    pid_t child = fork();
    int status;
    siginfo_t info;

    if (child == 0)
        _exit(0);
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    CASE("setpgid of a child that has ended and was not waited for", setpgid(child, child) == 0 && getpgid(child) == child);
    CASE("and it is waited for by its new group", waitpid(-child, &status, 0) == child);
    CASE("and gone then", setpgid(child, child) == -1 && errno == ESRCH);
}

#define SEND_ROUNDS 10000
#define SEND_BYTES 64

static int send_rounds(int from, int to)
{
    for (int i = 0; i < SEND_ROUNDS; i++) {
        lseek(from, 0, SEEK_SET);
        lseek(to, 0, SEEK_SET);
        if (sendfile(to, from, NULL, SEND_BYTES) < 0)
            return 1;
    }
    return 0;
}

/* Both positions move in each call: who takes one first, and the other second, while another process does it the other way round, waits for ever. */
static void test_sendfile_both_ways(void)
{
    int one = open("/tmp/races.one", O_RDWR | O_CREAT | O_TRUNC, 0600), two = open("/tmp/races.two", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int status = -1, failed;
    pid_t child;

    ftruncate(one, SEND_BYTES);
    ftruncate(two, SEND_BYTES);
    child = fork();
    if (child == 0)
        _exit(send_rounds(one, two));
    failed = send_rounds(two, one);
    CASE("two processes send files to each other", waitpid(child, &status, 0) == child && status == 0 && !failed);
    close(one);
    close(two);
    unlink("/tmp/races.one");
    unlink("/tmp/races.two");
}

/* Who sends sleeps in the pipe, which only this process reads; meanwhile it wants the position that is being sent from. */
static void test_sendfile_sleeps_alone(void)
{
    static char bytes[200000];
    int file = open("/tmp/races.sent", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2], status = -1, there = 0;
    size_t got = 0;
    off_t seen;
    ssize_t n;
    pid_t child;

    write(file, bytes, sizeof bytes);
    lseek(file, 0, SEEK_SET);
    pipe(ends);
    child = fork();
    if (child == 0)
        _exit(sendfile(ends[1], file, NULL, sizeof bytes) != sizeof bytes);
    close(ends[1]);
    while (ioctl(ends[0], FIONREAD, &there) == 0 && there < 65536)
        sched_yield();
    seen = lseek(file, 0, SEEK_CUR);
    while ((n = read(ends[0], bytes, sizeof bytes)) > 0)
        got += (size_t)n;
    CASE("sendfile keeps no position while it sleeps", seen == 0 && got == sizeof bytes && waitpid(child, &status, 0) == child && status == 0 &&
                                                           lseek(file, 0, SEEK_CUR) == sizeof bytes);
    close(ends[0]);
    close(file);
    unlink("/tmp/races.sent");
}

int main(void)
{
    alarm(110);
    test_sigchld_brings_news();
    test_wait_before_handler();
    test_group_signal_and_fork(SIGTERM, "a signal to a group that forks misses nobody");
    test_group_signal_and_fork(SIGKILL, "nor does SIGKILL");
    test_last_word(spin, SIGSTOP, "stop, continue, stop: a spinning process");
    test_last_word(call_kernel, SIGTSTP, "stop, continue, stop: one that calls the system");
    test_last_word(sleep_long, SIGTSTP, "stop, continue, stop: one that sleeps");
    test_stopped_process();
    test_parent_killed_by_child();
    test_killed_newborn();
    test_late_setpgid();
    test_sendfile_both_ways();
    test_sendfile_sleeps_alone();
    return tap_finish();
}
