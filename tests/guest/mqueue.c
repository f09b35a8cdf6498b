/*
 * POSIX message queues: opening, priorities, waiting with and without time-outs, poll, notification, unlinking, permissions; what is refused. The same
 * on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define NAME "/exo-mqueue"
#define USER 4711

static char buffer[9000];

static int status_of(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1;
}

static mqd_t make(long most, long bytes, int flags)
{
    struct mq_attr attr = {.mq_maxmsg = most, .mq_msgsize = bytes};

    mq_unlink(NAME);
    return mq_open(NAME, O_CREAT | O_EXCL | O_RDWR | flags, 0600, &attr);
}

/* Is this the next one? */
static bool next(mqd_t queue, const char *word, unsigned priority)
{
    unsigned got = 99;

    return mq_receive(queue, buffer, sizeof buffer, &got) == (ssize_t)strlen(word) && !memcmp(buffer, word, strlen(word)) && got == priority;
}

static long messages(mqd_t queue)
{
    struct mq_attr attr;

    return mq_getattr(queue, &attr) == 0 ? attr.mq_curmsgs : -1;
}

static struct timespec in_ms(long ms)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += ms * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void test_opening(void)
{
    struct mq_attr attr = {.mq_maxmsg = 0, .mq_msgsize = 10}, old;
    mqd_t queue = make(4, 100, 0), other;
    struct stat stat;

    CASE("made", queue >= 0);
    CASE("there already; not there; no such name",
        FAILS(mq_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST) && FAILS(mq_open("/exo-nothing", O_RDWR), ENOENT) &&
            FAILS(mq_open("/a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES) && FAILS(mq_unlink("/exo-nothing"), ENOENT));
    CASE("what it is", mq_getattr(queue, &old) == 0 && old.mq_maxmsg == 4 && old.mq_msgsize == 100 && old.mq_curmsgs == 0 && old.mq_flags == 0);
    CASE("a file", fstat(queue, &stat) == 0 && S_ISREG(stat.st_mode) && (stat.st_mode & 0777) == 0600 && stat.st_size == 80);
    CASE("never inherited by a program", fcntl(queue, F_GETFD) == FD_CLOEXEC);
    attr.mq_flags = O_NONBLOCK;
    CASE("only O_NONBLOCK can be changed", mq_setattr(queue, &attr, &old) == 0 && mq_getattr(queue, &old) == 0 && old.mq_flags == O_NONBLOCK &&
                                               old.mq_maxmsg == 4 && (fcntl(queue, F_GETFL) & O_NONBLOCK));
    attr.mq_flags = O_APPEND;
    CASE("nothing else", FAILS(mq_setattr(queue, &attr, NULL), EINVAL));
    attr.mq_flags = 0;
    CASE("queues that are none", FAILS(mq_open("/exo-bad", O_CREAT | O_RDWR, 0600, &attr), EINVAL) &&
                                     (attr.mq_maxmsg = 10, attr.mq_msgsize = 0, FAILS(mq_open("/exo-bad", O_CREAT | O_RDWR, 0600, &attr), EINVAL)));
    other = mq_open(NAME, O_RDONLY);
    CASE("only to read", other >= 0 && FAILS(mq_send(other, "x", 1, 0), EBADF));
    mq_close(other);
    other = mq_open(NAME, O_WRONLY);
    CASE("only to write", FAILS(mq_receive(other, buffer, sizeof buffer, NULL), EBADF) && mq_send(other, "x", 1, 0) == 0);
    mq_close(other);
    CASE("not a queue", FAILS(mq_send(1, "x", 1, 0), EBADF) && FAILS(mq_send(-1, "x", 1, 0), EBADF) && FAILS(mq_close(other), EBADF));
    CASE("unlinked, it stays while it is open", mq_unlink(NAME) == 0 && FAILS(mq_open(NAME, O_RDWR), ENOENT) && next(queue, "x", 0));
    mq_close(queue);
}

static void test_messages(void)
{
    mqd_t queue = make(5, 8192, O_NONBLOCK);
    static char pattern[8192], big[8192];

    mq_send(queue, "low", 3, 1);
    mq_send(queue, "high", 4, 32767);
    mq_send(queue, "also low", 8, 1);
    mq_send(queue, "", 0, 5);
    CASE("by priority, then in their order",
        messages(queue) == 4 && next(queue, "high", 32767) && next(queue, "", 5) && next(queue, "low", 1) && next(queue, "also low", 1));
    CASE("none", FAILS(mq_receive(queue, buffer, sizeof buffer, NULL), EAGAIN) && messages(queue) == 0);
    CASE("no such priority", FAILS(mq_send(queue, "x", 1, 32768), EINVAL));
    CASE("too long, too little room", FAILS(mq_send(queue, buffer, 8193, 0), EMSGSIZE) && FAILS(mq_receive(queue, buffer, 8191, NULL), EMSGSIZE));
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (char)(i * 5 + i / 256);
    CASE("a long one", mq_send(queue, pattern, sizeof pattern, 3) == 0 && mq_receive(queue, big, sizeof big, NULL) == sizeof big &&
                           !memcmp(pattern, big, sizeof big));
    for (int i = 0; i < 5; i++)
        mq_send(queue, "x", 1, 0);
    CASE("full", FAILS(mq_send(queue, "x", 1, 0), EAGAIN) && messages(queue) == 5);
    CASE("nowhere", FAILS(mq_send(queue, (char *)8, 4, 0), EFAULT) || errno == EAGAIN);
    mq_close(queue);
}

static void handler(int signo)
{
    (void)signo;
}

static void test_waiting(void)
{
    mqd_t queue = make(2, 100, 0);
    struct timespec soon = in_ms(20), past = {1, 0}, bad = {1, 1000000000};
    struct sigaction action = {.sa_handler = handler};
    struct pollfd polled = {.fd = queue, .events = POLLIN | POLLOUT};
    pid_t child;

    CASE("a time-out", FAILS(mq_timedreceive(queue, buffer, sizeof buffer, NULL, &soon), ETIMEDOUT) &&
                           FAILS(mq_timedreceive(queue, buffer, sizeof buffer, NULL, &past), ETIMEDOUT) &&
                           FAILS(mq_timedreceive(queue, buffer, sizeof buffer, NULL, &bad), EINVAL));
    CASE("poll: room", poll(&polled, 1, 0) == 1 && polled.revents == POLLOUT);
    child = fork();
    if (child == 0)
        _exit(next(queue, "word", 4) && next(queue, "again", 2) ? 3 : 4);
    usleep(20000);
    CASE("who waits gets it", mq_send(queue, "word", 4, 4) == 0 && mq_send(queue, "again", 5, 2) == 0 && status_of(child) == 3 && messages(queue) == 0);
    mq_send(queue, "1", 1, 0);
    CASE("poll: both", poll(&polled, 1, 0) == 1 && polled.revents == (POLLIN | POLLOUT));
    mq_send(queue, "2", 1, 0);
    CASE("poll: messages", poll(&polled, 1, 0) == 1 && polled.revents == POLLIN);
    soon = in_ms(20);
    CASE("full until the time-out", FAILS(mq_timedsend(queue, "x", 1, 0, &soon), ETIMEDOUT));
    child = fork();
    if (child == 0)
        _exit(mq_send(queue, "3", 1, 9) == 0 ? 5 : 6);
    usleep(20000);
    CASE("who waits to send is let in", next(queue, "1", 0) && status_of(child) == 5 && next(queue, "3", 9) && next(queue, "2", 0));
    child = fork();
    if (child == 0) {
        polled.events = POLLIN;
        _exit(poll(&polled, 1, -1) == 1 && polled.revents == POLLIN && next(queue, "p", 0) ? 7 : 8);
    }
    usleep(20000);
    CASE("poll sleeps and wakes", mq_send(queue, "p", 1, 0) == 0 && status_of(child) == 7);
    child = fork();
    if (child == 0) {
        sigaction(SIGUSR1, &action, NULL);
        mq_send(queue, "go", 2, 0);
        mq_receive(queue, buffer, sizeof buffer, NULL);
        _exit(FAILS(mq_receive(queue, buffer, sizeof buffer, NULL), EINTR) ? 3 : 4);
    }
    usleep(50000);
    kill(child, SIGUSR1);
    CASE("a signal", status_of(child) == 3);
    mq_close(queue);
}

static volatile int told, told_code, told_value, told_pid;

static void tell(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    told++;
    told_code = info->si_code;
    told_value = info->si_value.sival_int;
    told_pid = info->si_pid;
}

static void test_notify(void)
{
    mqd_t queue = make(4, 100, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 77};
    struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO};
    pid_t child;

    sigaction(SIGUSR2, &action, NULL);
    CASE("asked for", mq_notify(queue, &event) == 0 && FAILS(mq_notify(queue, &event), EBUSY));
    child = fork();
    if (child == 0) {
        if (!FAILS(mq_notify(queue, &event), EBUSY))
            _exit(2);
        mq_send(queue, "x", 1, 0);
        mq_send(queue, "y", 1, 0);
        _exit(0);
    }
    CASE("told once, of the first", status_of(child) == 0 && told == 1 && told_code == SI_MESGQ && told_value == 77 && told_pid == child);
    CASE("not again without asking", next(queue, "x", 0) && next(queue, "y", 0) && mq_send(queue, "z", 1, 0) == 0 && told == 1);
    CASE("only when it was empty", mq_notify(queue, &event) == 0 && mq_send(queue, "z", 1, 0) == 0 && told == 1);
    CASE("taken back", mq_notify(queue, NULL) == 0 && next(queue, "z", 0) && next(queue, "z", 0) && mq_send(queue, "z", 1, 0) == 0 && told == 1);
    next(queue, "z", 0);
    child = fork();
    if (child == 0)
        _exit(next(queue, "w", 0) ? 3 : 4);
    usleep(20000);
    CASE("who waits comes first", mq_notify(queue, &event) == 0 && mq_send(queue, "w", 1, 0) == 0 && status_of(child) == 3 && told == 1);
    CASE("then the signal", mq_send(queue, "v", 1, 0) == 0 && told == 2 && next(queue, "v", 0));
    event.sigev_notify = SIGEV_NONE;
    CASE("told nothing, but taken", mq_notify(queue, &event) == 0 && FAILS(mq_notify(queue, &event), EBUSY) && mq_send(queue, "u", 1, 0) == 0 && told == 2 &&
                                        mq_notify(queue, NULL) == 0 && next(queue, "u", 0));
    child = fork();
    if (child == 0)
        _exit(mq_notify(queue, &event) == 0 && mq_close(queue) == 0 ? 3 : 4);
    CASE("closing takes it back, and so does the end", status_of(child) == 3 && mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = 65;
    CASE("no such signal", FAILS(mq_notify(queue, &event), EINVAL) && FAILS(mq_notify(1, NULL), EBADF));
    mq_close(queue);
}

static int stranger(mqd_t queue)
{
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 8192}, large = {.mq_maxmsg = 11, .mq_msgsize = 10};
    struct rlimit limit = {10000, 10000};

    if (setgid(USER) || setuid(USER))
        return 1;
    if (!FAILS(mq_open(NAME, O_RDONLY), EACCES) || !FAILS(mq_open(NAME, O_WRONLY), EACCES) || !FAILS(mq_unlink(NAME), EACCES))
        return 2;
    if (mq_send(queue, "x", 1, 0) || !next(queue, "x", 0)) /* it was opened as root */
        return 3;
    if (!FAILS(mq_open("/exo-large", O_CREAT | O_RDWR, 0600, &large), EINVAL))
        return 4;
    setrlimit(RLIMIT_MSGQUEUE, &limit);
    return !FAILS(mq_open("/exo-large", O_CREAT | O_RDWR, 0600, &attr), EMFILE);
}

static void test_permissions(void)
{
    mqd_t queue = make(4, 100, 0);
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(stranger(queue));
    status = status_of(child);
    CASE("another user", status == 0);
    if (status)
        printf("# stranger: %d\n", status);
    mq_close(queue);
    mq_unlink(NAME);
}

int main(void)
{
    test_opening();
    test_messages();
    test_waiting();
    test_notify();
    test_permissions();
    return tap_finish();
}
