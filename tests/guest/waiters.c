/*
 * Descriptors for what is not data: timerfd, signalfd, pidfd, as programs use them with poll, epoll and fork, and what they refuse. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define P_PIDFD_ 3
#define MS 1000000ll

static void *volatile wild = (void *)16;

static struct itimerspec every(long long first_ns, long long then_ns)
{
    return (struct itimerspec){
        .it_value = {first_ns / 1000000000, first_ns % 1000000000}, .it_interval = {then_ns / 1000000000, then_ns % 1000000000}};
}

static int64_t now_ns(int clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static int readable(int fd, int ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};

    return poll(&item, 1, ms) == 1 && item.revents & POLLIN;
}

static void test_timer(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), real = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
    struct itimerspec spec = every(20 * MS, 0), old;
    uint64_t ticks = 0;
    int64_t begin = now_ns(CLOCK_MONOTONIC);

    CASE("disarmed: nothing to read", FAILS(read(fd, &ticks, 8), EAGAIN) && !readable(fd, 0));
    CASE("settime", timerfd_settime(fd, 0, &spec, &old) == 0 && old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
    CASE("gettime tells what is left",
        timerfd_gettime(fd, &old) == 0 && old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 20 * MS);
    CASE("poll wakes", readable(fd, 10000) && now_ns(CLOCK_MONOTONIC) - begin >= 20 * MS);
    CASE("one expiry", read(fd, &ticks, 8) == 8 && ticks == 1 && FAILS(read(fd, &ticks, 8), EAGAIN));
    CASE("a spent timer has nothing left", timerfd_gettime(fd, &old) == 0 && old.it_value.tv_nsec == 0);
    spec = every(1 * MS, 1 * MS);
    timerfd_settime(fd, 0, &spec, NULL);
    usleep(20000);
    CASE("expiries add up", read(fd, &ticks, 8) == 8 && ticks >= 19);
    CASE("its interval is told", timerfd_gettime(fd, &old) == 0 && old.it_interval.tv_nsec == 1 * MS && old.it_value.tv_nsec <= 1 * MS);
    spec = every(0, 5 * MS);
    CASE("disarming", timerfd_settime(fd, 0, &spec, NULL) == 0 && FAILS(read(fd, &ticks, 8), EAGAIN));
    spec = every(now_ns(CLOCK_REALTIME) + 10 * MS, 0);
    CASE("absolute, real, blocking read", timerfd_settime(real, TFD_TIMER_ABSTIME, &spec, NULL) == 0 && read(real, &ticks, 8) == 8 &&
                                              ticks == 1 &&
                                              now_ns(CLOCK_REALTIME) >= spec.it_value.tv_sec * 1000000000ll + spec.it_value.tv_nsec);
    spec = every(1, 0);
    CASE("a time long past is now", timerfd_settime(real, TFD_TIMER_ABSTIME, &spec, NULL) == 0 && readable(real, 0));
    CASE("setting takes expiries back", (spec = every(1000000 * MS, 0), timerfd_settime(real, 0, &spec, NULL)) == 0 && !readable(real, 0));
    CASE("close on exec", fcntl(real, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFD) == 0 && fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
    close(fd);
    close(real);
}

static void test_timer_misuse(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), null = open("/dev/null", O_RDWR);
    struct itimerspec spec = every(1, 0), bad = {.it_value = {0, 1000000000}};
    struct stat stat;
    uint64_t ticks;
    char link[64] = "", path[64];

    CASE("unknown clocks", FAILS(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL) && FAILS(timerfd_create(99, 0), EINVAL));
    CASE("unknown flags", FAILS(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL) && FAILS(timerfd_settime(fd, 4, &spec, NULL), EINVAL));
    CASE("bad times", FAILS(timerfd_settime(fd, 0, &bad, NULL), EINVAL) && FAILS(syscall(SYS_timerfd_settime, fd, 0, wild, NULL), EFAULT));
    CASE("no timer", FAILS(timerfd_settime(null, 0, &spec, NULL), EINVAL) && FAILS(timerfd_settime(999, 0, &spec, NULL), EBADF) &&
                         FAILS(timerfd_gettime(null, &bad), EINVAL) && FAILS(timerfd_gettime(-1, &bad), EBADF));
    CASE("short read, write, seek",
        FAILS(read(fd, &ticks, 7), EINVAL) && FAILS(write(fd, &ticks, 8), EINVAL) && lseek(fd, 7, SEEK_SET) == 0);
    timerfd_settime(fd, 0, &spec, NULL);
    usleep(1000);
    CASE("into no memory", FAILS(read(fd, wild, 8), EFAULT));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CASE("its name", fstat(fd, &stat) == 0 && (stat.st_mode & S_IFMT) == 0 && readlink(path, link, sizeof link - 1) > 0 &&
                         !strcmp(link, "anon_inode:[timerfd]"));
    close(fd);
    close(null);
}

static void test_timer_relatives(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0), epoll = epoll_create1(0), status;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    struct itimerspec spec = every(1000000 * MS, 0);
    uint64_t ticks = 0;
    pid_t child;

    timerfd_settime(fd, 0, &spec, NULL);
    child = fork();
    if (child == 0) { /* sleeps with nothing to wake it but the other's setting */
        _exit(read(fd, &ticks, 8) == 8 && ticks == 1 ? 7 : 1);
    }
    usleep(20000);
    spec = every(1, 0);
    timerfd_settime(fd, 0, &spec, NULL);
    waitpid(child, &status, 0);
    CASE("a relative's setting wakes a reader", WIFEXITED(status) && WEXITSTATUS(status) == 7);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    spec = every(5 * MS, 5 * MS);
    timerfd_settime(fd, 0, &spec, NULL);
    CASE("the first expiry is an edge", epoll_wait(epoll, &event, 1, 10000) == 1 && epoll_wait(epoll, &event, 1, 20) == 0);
    CASE("after a read so is the next", read(fd, &ticks, 8) == 8 && ticks >= 3 && epoll_wait(epoll, &event, 1, 10000) == 1);
    spec = every(1000000 * MS, 0);
    timerfd_settime(fd, 0, &spec, NULL);
    child = fork();
    if (child == 0) {
        usleep(20000);
        spec = every(1 * MS, 0);
        timerfd_settime(fd, 0, &spec, NULL);
        _exit(0);
    }
    CASE("poll sees a relative's setting", readable(fd, 10000));
    waitpid(child, &status, 0);
    close(fd);
    close(epoll);
}

static void test_many_timers(void)
{
    struct pollfd items[20];
    struct itimerspec spec;
    uint64_t ticks;
    int left = 20, rounds = 0;

    for (int i = 0; i < 20; i++) {
        items[i] = (struct pollfd){.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), .events = POLLIN};
        spec = every((20 - i) * MS, 0);
        timerfd_settime(items[i].fd, 0, &spec, NULL);
    }
    while (left && rounds++ < 100 && poll(items, 20, 10000) > 0) {
        for (int i = 0; i < 20; i++)
            if (items[i].revents & POLLIN && read(items[i].fd, &ticks, 8) == 8)
                left--;
    }
    CASE("twenty timers in one poll", left == 0);
    for (int i = 0; i < 20; i++)
        close(items[i].fd);
}

static void block(int signo)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signo);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void test_signal(void)
{
    struct signalfd_siginfo info[4];
    sigset_t set;
    int fd, status;
    pid_t child;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGRTMIN + 3);
    sigaddset(&set, SIGKILL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CASE(
        "no signal: EAGAIN", fd >= 0 && FAILS(read(fd, info, sizeof info), EAGAIN) && !readable(fd, 0) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    kill(getpid(), SIGUSR1);
    CASE("a signal of one's own", readable(fd, 0) && read(fd, info, sizeof info) == 128 && info[0].ssi_signo == SIGUSR1 &&
                                      info[0].ssi_code == SI_USER && info[0].ssi_pid == (uint32_t)getpid() && info[0].ssi_uid == getuid());
    CASE("it is gone then", FAILS(read(fd, info, sizeof info), EAGAIN));
    child = fork();
    if (child == 0)
        _exit(23);
    CASE("SIGCHLD, whose default is to be ignored", readable(fd, 10000) && read(fd, info, sizeof info) == 128 &&
                                                        info[0].ssi_signo == SIGCHLD && info[0].ssi_pid == (uint32_t)child &&
                                                        info[0].ssi_status == 23 && info[0].ssi_code == CLD_EXITED);
    waitpid(child, &status, 0);
    for (int i = 0; i < 3; i++)
        sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 100 + i});
    CASE("queued signals with values, in their order", read(fd, info, sizeof info) == 3 * 128 && info[0].ssi_int == 100 &&
                                                           info[1].ssi_int == 101 && info[2].ssi_int == 102 &&
                                                           info[2].ssi_code == SI_QUEUE);
    fcntl(fd, F_SETFL, 0);
    child = fork();
    if (child == 0) {
        usleep(20000);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CASE("a blocking read sleeps for it", read(fd, info, 128) == 128 && info[0].ssi_signo == SIGUSR1 && info[0].ssi_pid == (uint32_t)child);
    waitpid(child, &status, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    block(SIGUSR2);
    CASE("another set", signalfd(fd, &set, 0) == fd &&
                            (kill(getpid(), SIGUSR1), kill(getpid(), SIGUSR2), read(fd, info, sizeof info)) == 128 &&
                            info[0].ssi_signo == SIGUSR2);
    close(fd);
}

static volatile int handled;

static void handler(int signo)
{
    handled = signo;
}

static void test_signal_misuse(void)
{
    sigset_t set;
    int fd, null = open("/dev/null", O_RDWR), status;
    char info[128];
    pid_t child;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    fd = signalfd(-1, &set, 0);
    CASE("flags and sizes", FAILS(signalfd(-1, &set, 1), EINVAL) && FAILS(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL) &&
                                FAILS(syscall(SYS_signalfd4, -1, wild, 8, 0), EFAULT));
    CASE("no signalfd", FAILS(signalfd(null, &set, 0), EINVAL) && FAILS(signalfd(999, &set, 0), EBADF));
    CASE("a short read", FAILS(read(fd, info, 127), EINVAL) && FAILS(write(fd, info, 128), EINVAL));
    signal(SIGALRM, handler);
    child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = handler};

        sigaction(SIGALRM, &action, NULL);
        sigemptyset(&set);
        sigaddset(&set, SIGALRM);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        sigaddset(&set, SIGUSR1);
        ualarm(20000, 0);
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN + 9);
        fd = signalfd(-1, &set, 0);
        _exit(FAILS(read(fd, info, 128), EINTR) && handled == SIGALRM ? 5 : 1);
    }
    waitpid(child, &status, 0);
    CASE("another signal interrupts", WIFEXITED(status) && WEXITSTATUS(status) == 5);
    close(fd);
    close(null);
}

static int pidfd_open_(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_send(int fd, int signo, siginfo_t *info, unsigned flags)
{
    return (int)syscall(SYS_pidfd_send_signal, fd, signo, info, flags);
}

static void test_pidfd(void)
{
    siginfo_t info = {0};
    pid_t child = fork();
    int fd;

    if (child == 0) {
        for (;;)
            pause();
    }
    fd = pidfd_open_(child, 0);
    CASE("pidfd_open closes on exec", fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CASE("not ready while it lives", !readable(fd, 0) && pidfd_send(fd, 0, NULL, 0) == 0);
    CASE("waitid of it, without hanging", waitid(P_PIDFD_, (id_t)fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CASE("killed by it", pidfd_send(fd, SIGKILL, NULL, 0) == 0 && readable(fd, 10000));
    CASE("still ready", readable(fd, 0));
    CASE("waitid by it",
        waitid(P_PIDFD_, (id_t)fd, &info, WEXITED) == 0 && info.si_pid == child && info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    CASE("afterwards there is none",
        FAILS(pidfd_send(fd, 0, NULL, 0), ESRCH) && FAILS(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED), ECHILD) && readable(fd, 0));
    close(fd);
    child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    fd = pidfd_open_(child, O_NONBLOCK);
    CASE("a pidfd that does not block", FAILS(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED), EAGAIN));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
}

static void test_pidfd_misuse(void)
{
    int fd = pidfd_open_(getpid(), 0), null = open("/dev/null", O_RDWR);
    siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};
    char byte;

    CASE("no such process", FAILS(pidfd_open_(0, 0), EINVAL) && FAILS(pidfd_open_(-3, 0), EINVAL) &&
                                FAILS(pidfd_open_(4000000, 0), ESRCH) && FAILS(pidfd_open_(getpid(), 1), EINVAL));
    CASE("no pidfd", FAILS(pidfd_send(null, 0, NULL, 0), EBADF) && FAILS(pidfd_send(-1, 0, NULL, 0), EBADF) &&
                         FAILS(waitid(P_PIDFD_, (id_t)null, &info, WEXITED), EBADF));
    CASE("flags, signals, memory", FAILS(pidfd_send(fd, 0, NULL, 64), EINVAL) && FAILS(pidfd_send(fd, 77, NULL, 0), EINVAL) &&
                                       FAILS(pidfd_send(fd, 0, wild, 0), EFAULT));
    CASE("another signal than it says", FAILS(pidfd_send(fd, SIGUSR1, &info, 0), EINVAL));
    CASE("not one's child", FAILS(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED), ECHILD));
    CASE("no bytes", FAILS(read(fd, &byte, 1), EINVAL) && FAILS(write(fd, "x", 1), EINVAL));
    close(fd);
    close(null);
}

/* A signal may be sent to the directory of a process, too. */
static void test_pidfd_directory(void)
{
    siginfo_t info = {0};
    pid_t child = fork();
    char path[32];
    int fd, other;

    if (child == 0) {
        for (;;)
            pause();
    }
    snprintf(path, sizeof path, "/proc/%d", child);
    fd = open(path, O_RDONLY | O_DIRECTORY);
    other = openat(fd, "task", O_RDONLY | O_DIRECTORY);
    CASE("a process's directory", pidfd_send(fd, 0, NULL, 0) == 0 && FAILS(pidfd_send(fd, 0, NULL, 64), EINVAL));
    CASE("no other directory, and not for waitid", FAILS(pidfd_send(other, 0, NULL, 0), EBADF) && FAILS(waitid(P_PIDFD_, (id_t)fd, &info, WEXITED), EBADF));
    CASE("killed by its directory", pidfd_send(fd, SIGTERM, NULL, 0) == 0 && waitid(P_PID, (id_t)child, &info, WEXITED) == 0 && info.si_status == SIGTERM);
    CASE("which names nobody then", FAILS(pidfd_send(fd, SIGTERM, NULL, 0), ESRCH));
    close(other);
    close(fd);
    fd = open("/proc/self", O_PATH | O_DIRECTORY);
    CASE("nor a path", FAILS(pidfd_send(fd, 0, NULL, 0), EBADF));
    close(fd);
}

static int late;

static void *sets_late(void *unused)
{
    struct itimerspec spec = every(1 * MS, 0);

    (void)unused;
    usleep(20000);
    timerfd_settime(late, 0, &spec, NULL);
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread;

    late = timerfd_create(CLOCK_MONOTONIC, 0);
    pthread_create(&thread, NULL, sets_late, NULL);
    CASE("a thread's setting wakes another's poll", readable(late, 10000));
    pthread_join(thread, NULL);
    close(late);
}

int main(void)
{
    test_timer();
    test_timer_misuse();
    test_timer_relatives();
    test_many_timers();
    test_signal();
    test_signal_misuse();
    test_pidfd();
    test_pidfd_directory();
    test_pidfd_misuse();
    test_threads();
    return tap_finish();
}
