/*
 * Descriptors, pipes, waiting for several of them, locks, futexes and clocks as programs use them, between
 * real processes, some of which are killed in the middle. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

static void *volatile wild = (void *)16; /* what no compiler knows to be wild */
#define WILD wild

static int child_status(pid_t child)
{
    int status = -1;

    waitpid(child, &status, 0);
    return status;
}

static void test_numbers(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), low, high;
    struct rlimit limit;

    low = dup(fd);
    CASE("lowest free number", low == fd + 1 && fcntl(low, F_GETFD) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    high = fcntl(fd, F_DUPFD_CLOEXEC, 200);
    CASE("F_DUPFD_CLOEXEC", high == 200 && fcntl(high, F_GETFD) == FD_CLOEXEC);
    CASE("dup2 over itself", dup2(high, high) == high && fcntl(high, F_GETFD) == FD_CLOEXEC);
    CASE("dup3 over itself", FAILS(dup3(high, high, 0), EINVAL));
    CASE("bad numbers", FAILS(dup(-1), EBADF) && FAILS(close(99), EBADF) && FAILS(dup2(fd, -1), EBADF) &&
                            FAILS(read(1000000, &fd, 1), EBADF));
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 201;
    setrlimit(RLIMIT_NOFILE, &limit);
    CASE("RLIMIT_NOFILE", FAILS(dup2(fd, 201), EBADF) && FAILS(fcntl(fd, F_DUPFD, 201), EINVAL) &&
                              fcntl(fd, F_DUPFD, 199) == 199 && FAILS(fcntl(fd, F_DUPFD, 199), EMFILE));
    limit.rlim_cur = 1024;
    setrlimit(RLIMIT_NOFILE, &limit);
    CASE("close_range", syscall(SYS_close_range, 199, 200, 0) == 0 && FAILS(fcntl(200, F_GETFD), EBADF));
    CASE("access mode", FAILS(write(open("/dev/null", O_RDONLY), "x", 1), EBADF) &&
                            FAILS(read(open("/dev/null", O_WRONLY), &fd, 1), EBADF));
    syscall(SYS_close_range, fd, 300, 0);
}

static void test_devices(void)
{
    char buffer[64] = "unchanged";
    int zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR),
        random = open("/dev/urandom", O_RDONLY);
    char *map;

    CASE("/dev/null", read(open("/dev/null", O_RDONLY), buffer, 5) == 0 && buffer[0] == 'u');
    CASE("/dev/zero", read(zero, buffer, 9) == 9 && memcmp(buffer, "\0\0\0\0\0\0\0\0\0", 10) == 0 &&
                          write(zero, buffer, 5) == 5);
    CASE("/dev/full", FAILS(write(full, buffer, 1), ENOSPC) && read(full, buffer, 3) == 3);
    CASE("/dev/urandom", read(random, buffer, 64) == 64 && memcmp(buffer, buffer + 32, 32) != 0);
    map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    CASE("mapping /dev/zero", map != MAP_FAILED && map[5000] == 0 && (map[5000] = 1) == 1);
    CASE("wild buffers", FAILS(read(zero, WILD, 10), EFAULT) && FAILS(read(random, WILD, 10), EFAULT));
    CASE("no terminal functions", FAILS(ioctl(zero, TIOCGWINSZ, buffer), ENOTTY) && !isatty(zero));
    syscall(SYS_close_range, zero, 300, 0);
}

/* ---- pipes ---- */

static int signals;
static void count_signal(int signo)
{
    signals += signo != 0;
}

static void test_pipe_ends(void)
{
    char buffer[100];
    int pipe_fds[2], bytes;
    struct stat stat;

    CASE("pipe2", pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC) == 0 && fcntl(pipe_fds[0], F_GETFD) == FD_CLOEXEC &&
                      fcntl(pipe_fds[1], F_GETFL) == (O_WRONLY | O_NONBLOCK));
    CASE("empty", FAILS(read(pipe_fds[0], buffer, 10), EAGAIN) &&
                      FAILS(lseek(pipe_fds[0], 0, SEEK_CUR), ESPIPE) &&
                      FAILS(pread(pipe_fds[0], buffer, 1, 0), ESPIPE));
    CASE("bytes there",
         write(pipe_fds[1], "abc", 3) == 3 && ioctl(pipe_fds[0], FIONREAD, &bytes) == 0 && bytes == 3);
    CASE("wrong ends",
         FAILS(read(pipe_fds[1], buffer, 1), EBADF) && FAILS(write(pipe_fds[0], "x", 1), EBADF));
    CASE("fstat", fstat(pipe_fds[0], &stat) == 0 && S_ISFIFO(stat.st_mode) && stat.st_nlink == 1);
    CASE("size", fcntl(pipe_fds[0], F_GETPIPE_SZ) == 65536);
    close(pipe_fds[1]);
    CASE("end of file after the data",
         read(pipe_fds[0], buffer, 10) == 3 && read(pipe_fds[0], buffer, 10) == 0);
    close(pipe_fds[0]);
    signal(SIGPIPE, count_signal);
    pipe(pipe_fds);
    close(pipe_fds[0]);
    CASE("nobody reads", FAILS(write(pipe_fds[1], "x", 1), EPIPE) && signals == 1);
    signal(SIGPIPE, SIG_DFL);
    close(pipe_fds[1]);
    CASE("wild result", FAILS(pipe(WILD), EFAULT) && FAILS(pipe2(pipe_fds, O_APPEND), EINVAL));
}

/* Several writers of short records: each record arrives in one piece. */
#define WRITERS 4
#define RECORDS 300
#define RECORD 997

static void test_atomic_writes(void)
{
    static char record[RECORD];
    int pipe_fds[2], counts[WRITERS] = {0};
    int whole = 1;

    pipe(pipe_fds);
    for (int writer = 0; writer < WRITERS; writer++) {
        if (fork() == 0) {
            struct iovec parts[2] = {{record, 400}, {record + 400, RECORD - 400}};

            memset(record, 'a' + writer, RECORD);
            for (int i = 0; i < RECORDS; i++) {
                if (writer % 2 ? write(pipe_fds[1], record, RECORD) != RECORD
                               : writev(pipe_fds[1], parts, 2) != RECORD)
                    _exit(1);
            }
            _exit(0);
        }
    }
    close(pipe_fds[1]);
    for (;;) {
        size_t got = 0;

        while (got < RECORD) {
            ssize_t part = read(pipe_fds[0], record + got, RECORD - got);

            if (part <= 0)
                break;
            got += (size_t)part;
        }
        if (got == 0)
            break;
        for (int i = 1; i < RECORD; i++)
            whole &= record[i] == record[0];
        if (got == RECORD && record[0] >= 'a' && record[0] < 'a' + WRITERS)
            counts[record[0] - 'a']++;
    }
    for (int writer = 0; writer < WRITERS; writer++)
        whole &= counts[writer] == RECORDS;
    while (wait(NULL) > 0)
        ;
    close(pipe_fds[0]);
    CASE("short writes are not mixed", whole);
}

#define STREAM (3 << 20)

static void test_stream(void)
{
    static unsigned char buffer[100000];
    int pipe_fds[2], right = 1;
    unsigned position = 0;
    pid_t child;
    ssize_t got;

    pipe(pipe_fds);
    child = fork();
    if (child == 0) {
        close(pipe_fds[0]);
        while (position < STREAM) {
            size_t bytes = 1 + (position * 7919u) % sizeof buffer;

            if (bytes > STREAM - position)
                bytes = STREAM - position;
            for (size_t i = 0; i < bytes; i++)
                buffer[i] = (unsigned char)((position + i) * 167 >> 4);
            if (write(pipe_fds[1], buffer, bytes) != (ssize_t)bytes)
                _exit(1);
            position += (unsigned)bytes;
        }
        _exit(0);
    }
    close(pipe_fds[1]);
    while ((got = read(pipe_fds[0], buffer, 1 + position % 70000)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            right &= buffer[i] == (unsigned char)((position + (unsigned)i) * 167 >> 4);
        position += (unsigned)got;
    }
    close(pipe_fds[0]);
    CASE("a long stream", right && position == STREAM && child_status(child) == 0);
}

/* A writer that is killed closes its end; a reader that is killed gives EPIPE. */
static void test_killed_ends(void)
{
    char buffer[10];
    int pipe_fds[2];
    pid_t child;

    pipe(pipe_fds);
    child = fork();
    if (child == 0) {
        write(pipe_fds[1], "x", 1);
        pause();
    }
    close(pipe_fds[1]);
    read(pipe_fds[0], buffer, 1);
    kill(child, SIGKILL);
    CASE("a killed writer's end is closed", read(pipe_fds[0], buffer, 10) == 0);
    child_status(child);
    close(pipe_fds[0]);
    pipe(pipe_fds);
    child = fork();
    if (child == 0)
        pause();
    close(pipe_fds[0]);
    kill(child, SIGKILL);
    child_status(child);
    signal(SIGPIPE, SIG_IGN);
    CASE("a killed reader's end is closed", FAILS(write(pipe_fds[1], "x", 1), EPIPE));
    signal(SIGPIPE, SIG_DFL);
    close(pipe_fds[1]);
}

static void interrupted(int signo)
{
    (void)signo;
}

static void test_interrupted(void)
{
    struct sigaction action = {.sa_handler = interrupted}, old;
    char buffer[4];
    int pipe_fds[2];
    pid_t parent = getpid(), child;

    pipe(pipe_fds);
    sigaction(SIGUSR1, &action, &old);
    child = fork();
    if (child == 0) {
        usleep(30000);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    CASE("a handler interrupts a read", FAILS(read(pipe_fds[0], buffer, 1), EINTR));
    child_status(child);
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    child = fork();
    if (child == 0) {
        usleep(30000);
        kill(parent, SIGUSR1);
        usleep(30000);
        write(pipe_fds[1], "y", 1);
        _exit(0);
    }
    CASE("SA_RESTART goes on reading", read(pipe_fds[0], buffer, 1) == 1 && buffer[0] == 'y');
    child_status(child);
    sigaction(SIGUSR1, &old, NULL);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void test_reopened(void)
{
    char name[64], text[64] = "";
    int pipe_fds[2], again;

    pipe(pipe_fds);
    snprintf(name, sizeof name, "/proc/self/fd/%d", pipe_fds[0]);
    CASE("link of a pipe", readlink(name, text, sizeof text - 1) > 7 && strncmp(text, "pipe:[", 6) == 0);
    again = open(name, O_RDONLY | O_NONBLOCK);
    write(pipe_fds[1], "q", 1);
    CASE("opened again by its link", again >= 0 && fcntl(pipe_fds[0], F_GETFL) == O_RDONLY &&
                                         read(again, text, 5) == 1 && FAILS(read(again, text, 5), EAGAIN));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    CASE("its writers are gone", read(again, text, 5) == 0);
    close(again);
}

static void test_fifo(void)
{
    char buffer[20];
    int reader, writer;
    struct pollfd polled;
    struct stat stat;
    pid_t child;

    unlink("/tmp/descriptors.fifo");
    CASE("mkfifo", mkfifo("/tmp/descriptors.fifo", 0600) == 0);
    CASE("a writer needs a reader", FAILS(open("/tmp/descriptors.fifo", O_WRONLY | O_NONBLOCK), ENXIO));
    reader = open("/tmp/descriptors.fifo", O_RDONLY | O_NONBLOCK);
    CASE("a reader that does not wait", reader >= 0 && read(reader, buffer, 5) == 0);
    polled = (struct pollfd){.fd = reader, .events = POLLIN};
    CASE("no hang-up before the first writer", poll(&polled, 1, 0) == 0);
    writer = open("/tmp/descriptors.fifo", O_WRONLY);
    CASE("through", writer >= 0 && write(writer, "fifo", 4) == 4 && read(reader, buffer, 20) == 4);
    CASE("and empty", FAILS(read(reader, buffer, 5), EAGAIN));
    close(writer);
    CASE("a hang-up after it", poll(&polled, 1, 0) == 1 && polled.revents == POLLHUP);
    close(reader);
    child = fork();
    if (child == 0) {
        writer = open("/tmp/descriptors.fifo", O_WRONLY);
        _exit(write(writer, "child", 5) != 5);
    }
    reader = open("/tmp/descriptors.fifo", O_RDONLY);
    CASE("both wait for each other",
         read(reader, buffer, 20) == 5 && memcmp(buffer, "child", 5) == 0 && read(reader, buffer, 20) == 0);
    child_status(child);
    close(reader);
    reader = open("/tmp/descriptors.fifo", O_RDWR);
    unlink("/tmp/descriptors.fifo");
    CASE("fstat of a FIFO without a name", fstat(reader, &stat) == 0 && S_ISFIFO(stat.st_mode) && stat.st_nlink == 0);
    child = fork();
    if (child == 0)
        _exit(fstat(reader, &stat) != 0);
    CASE("in a child, too", child_status(child) == 0);
    CASE("it still carries data", write(reader, "x", 1) == 1 && read(reader, buffer, 5) == 1);
    close(reader);
}

/* ---- waiting for several ---- */

static void test_poll(void)
{
    struct pollfd items[3];
    struct timespec before, after;
    int pipe_fds[2];
    pid_t child;

    pipe(pipe_fds);
    items[0] = (struct pollfd){.fd = pipe_fds[0], .events = POLLIN};
    items[1] = (struct pollfd){.fd = pipe_fds[1], .events = POLLOUT};
    items[2] = (struct pollfd){.fd = 999, .events = POLLIN};
    CASE("poll", poll(items, 3, 0) == 2 && items[0].revents == 0 && items[1].revents == POLLOUT &&
                     items[2].revents == POLLNVAL);
    clock_gettime(CLOCK_MONOTONIC, &before);
    CASE("poll's time limit", poll(items, 1, 50) == 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CASE("it waited",
         (after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec >= 50000000);
    child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(write(pipe_fds[1], "z", 1) != 1);
    }
    close(pipe_fds[1]);
    CASE("poll wakes for data", poll(items, 1, -1) == 1 && items[0].revents & POLLIN);
    child_status(child);
    read(pipe_fds[0], &child, 1);
    CASE("poll sees the end", poll(items, 1, -1) == 1 && items[0].revents == POLLHUP);
    CASE("wild items", FAILS(poll(WILD, 1, 0), EFAULT));
    close(pipe_fds[0]);
}

static void test_select(void)
{
    struct timeval limit = {.tv_usec = 20000};
    int pipe_fds[2], file = open("/proc/self/stat", O_RDONLY);
    fd_set reading, writing;

    pipe(pipe_fds);
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(pipe_fds[0], &reading);
    CASE("select's time limit",
         select(pipe_fds[0] + 1, &reading, NULL, NULL, &limit) == 0 && !FD_ISSET(pipe_fds[0], &reading));
    FD_SET(pipe_fds[0], &reading);
    FD_SET(file, &reading);
    FD_SET(pipe_fds[1], &writing);
    CASE("select", select(pipe_fds[1] + 1, &reading, &writing, NULL, NULL) == 2 && FD_ISSET(file, &reading) &&
                       FD_ISSET(pipe_fds[1], &writing) && !FD_ISSET(pipe_fds[0], &reading));
    FD_SET(60, &reading);
    CASE("select of what is not open", FAILS(select(61, &reading, NULL, NULL, NULL), EBADF));
    close(file);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* pselect lets a blocked signal in while it waits, and only then. */
static void test_pselect(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    sigset_t blocked, none, now;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    sigaction(SIGUSR2, &action, NULL);
    signals = 0;
    raise(SIGUSR2);
    CASE("blocked", signals == 0);
    CASE("pselect with another mask",
         FAILS(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR) && signals == 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CASE("the mask is back", sigismember(&now, SIGUSR2) == 1);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static void test_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789a}, got[4];
    int pipe_fds[2], other[2], epoll = epoll_create1(EPOLL_CLOEXEC), file = open("/proc/self/exe", O_RDONLY);
    char byte;

    pipe(pipe_fds);
    pipe(other);
    CASE("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_fds[0], &event) == 0 &&
                          FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_fds[0], &event), EEXIST) &&
                          FAILS(epoll_ctl(epoll, EPOLL_CTL_MOD, other[0], &event), ENOENT) &&
                          FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM));
    CASE("nothing yet", epoll_wait(epoll, got, 4, 20) == 0);
    write(pipe_fds[1], "1", 1);
    CASE("level", epoll_wait(epoll, got, 4, -1) == 1 && got[0].events == EPOLLIN &&
                      got[0].data.u64 == 0x123456789a && epoll_wait(epoll, got, 4, 0) == 1);
    event.events = EPOLLIN | EPOLLET;
    epoll_ctl(epoll, EPOLL_CTL_MOD, pipe_fds[0], &event);
    CASE("edge", epoll_wait(epoll, got, 4, 0) == 1 && epoll_wait(epoll, got, 4, 0) == 0);
    write(pipe_fds[1], "2", 1);
    CASE("another edge", epoll_wait(epoll, got, 4, 0) == 1 && epoll_wait(epoll, got, 4, 0) == 0);
    read(pipe_fds[0], &byte, 1);
    event.events = EPOLLIN | EPOLLONESHOT;
    epoll_ctl(epoll, EPOLL_CTL_MOD, pipe_fds[0], &event);
    CASE("once", epoll_wait(epoll, got, 4, 0) == 1 && epoll_wait(epoll, got, 4, 0) == 0);
    CASE("wild", FAILS(epoll_wait(epoll, got, 0, 0), EINVAL) &&
                     FAILS(epoll_wait(pipe_fds[0], got, 1, 0), EINVAL) &&
                     FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, other[0], WILD), EFAULT));
    for (int fd = 3; fd < 20; fd++)
        close(fd);
}

static void test_eventfd(void)
{
    int event = eventfd(3, EFD_NONBLOCK), semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK), waiting;
    uint64_t value = 0;
    pid_t child;

    CASE("eventfd", read(event, &value, 8) == 8 && value == 3 && FAILS(read(event, &value, 8), EAGAIN) &&
                        FAILS(read(event, &value, 4), EINVAL));
    CASE("as a semaphore", read(semaphore, &value, 8) == 8 && value == 1 && read(semaphore, &value, 8) == 8 &&
                               FAILS(read(semaphore, &value, 8), EAGAIN));
    waiting = eventfd(0, 0);
    child = fork();
    if (child == 0) {
        usleep(20000);
        value = 9;
        _exit(write(waiting, &value, 8) != 8);
    }
    CASE("between processes", read(waiting, &value, 8) == 8 && value == 9);
    child_status(child);
    close(event);
    close(semaphore);
    close(waiting);
}

/* ---- locks, positions, copies ---- */

static int try_lock(int fd, short type, off_t start, off_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

    return fcntl(fd, F_SETLK, &lock);
}

static void test_locks(void)
{
    int fd = open("/tmp/descriptors.lock", O_RDWR | O_CREAT | O_TRUNC, 0600),
        other = open("/tmp/descriptors.lock", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t child;

    CASE("record lock", try_lock(fd, F_WRLCK, 10, 10) == 0);
    child = fork();
    if (child == 0) {
        int good = FAILS(try_lock(fd, F_RDLCK, 15, 1), EAGAIN) && try_lock(fd, F_RDLCK, 20, 5) == 0 &&
                   fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_pid == getppid() &&
                   lock.l_start == 10 && lock.l_len == 10;

        _exit(!good);
    }
    CASE("keeps others out", child_status(child) == 0);
    close(other);
    child = fork();
    if (child == 0)
        _exit(try_lock(fd, F_WRLCK, 0, 0) != 0);
    CASE("any close of the file gives it up", child_status(child) == 0);
    child = fork();
    if (child == 0) {
        try_lock(fd, F_WRLCK, 0, 0);
        kill(getpid(), SIGKILL);
    }
    child_status(child);
    CASE("it dies with its process", try_lock(fd, F_WRLCK, 0, 0) == 0);
    other = open("/tmp/descriptors.lock", O_RDWR);
    CASE("flock", flock(fd, LOCK_EX) == 0 && FAILS(flock(other, LOCK_SH | LOCK_NB), EAGAIN) &&
                      flock(fd, LOCK_UN) == 0 && flock(other, LOCK_SH) == 0);
    close(other);
    CASE("flock goes with its description", flock(fd, LOCK_EX | LOCK_NB) == 0);
    close(fd);
    unlink("/tmp/descriptors.lock");
}

static void test_copies(void)
{
    static char buffer[200000];
    int from = open("/tmp/descriptors.from", O_RDWR | O_CREAT | O_TRUNC, 0600),
        to = open("/tmp/descriptors.to", O_RDWR | O_CREAT | O_TRUNC, 0600);
    off_t offset = 100;
    struct iovec parts[3] = {{buffer, 3}, {NULL, 0}, {buffer + 10, 4}};

    for (size_t i = 0; i < sizeof buffer; i++)
        buffer[i] = (char)(i * 31 >> 3);
    write(from, buffer, sizeof buffer);
    CASE("sendfile with an offset", sendfile(to, from, &offset, 1000) == 1000 && offset == 1100 &&
                                        lseek(from, 0, SEEK_CUR) == sizeof buffer);
    lseek(from, 0, SEEK_SET);
    CASE("sendfile to the end",
         sendfile(to, from, NULL, 1 << 20) == sizeof buffer && sendfile(to, from, NULL, 10) == 0);
    memset(buffer, 0, sizeof buffer);
    CASE("what came",
         pread(to, buffer, sizeof buffer, 1000) == sizeof buffer && buffer[99999] == (char)(99999 * 31 >> 3));
    lseek(from, 5, SEEK_SET);
    CASE("readv",
         readv(from, parts, 3) == 7 && buffer[10] == (char)(8 * 31 >> 3) && lseek(from, 0, SEEK_CUR) == 12);
    CASE("preadv", preadv(from, parts, 3, 1000) == 7 && lseek(from, 0, SEEK_CUR) == 12);
    CASE("bad vectors", FAILS(readv(from, WILD, 1), EFAULT) && FAILS(readv(from, parts, 1025), EINVAL) &&
                            FAILS(readv(from, parts, -1), EINVAL));
    close(from);
    close(to);
    unlink("/tmp/descriptors.from");
    unlink("/tmp/descriptors.to");
}

/* ---- words, clocks, names ---- */

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *limit)
{
    return syscall(SYS_futex, word, operation, value, limit, NULL, ~0u);
}

static void test_futex(void)
{
    uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct timespec limit = {.tv_nsec = 10000000};
    pid_t child;

    *word = 1;
    CASE("another value", FAILS(futex(word, FUTEX_WAIT, 0, NULL), EAGAIN));
    CASE("time limit", FAILS(futex(word, FUTEX_WAIT, 1, &limit), ETIMEDOUT));
    CASE("nobody to wake", futex(word, FUTEX_WAKE, 1, NULL) == 0);
    CASE("wild words", FAILS(futex(WILD, FUTEX_WAIT, 0, NULL), EFAULT) &&
                           FAILS(futex((uint32_t *)((char *)word + 1), FUTEX_WAIT, 0, NULL), EINVAL));
    child = fork();
    if (child == 0) {
        usleep(20000);
        *word = 2;
        _exit(futex(word, FUTEX_WAKE, 1, NULL) != 1);
    }
    CASE("between processes",
         futex(word, FUTEX_WAIT, 1, NULL) == 0 && *word == 2 && child_status(child) == 0);
}

static void test_clocks(void)
{
    struct timespec a, b, left, long_sleep = {.tv_sec = 5};
    struct timeval day;
    struct utsname name;
    pid_t parent = getpid(), child;

    clock_gettime(CLOCK_MONOTONIC, &a);
    clock_gettime(CLOCK_MONOTONIC, &b);
    CASE("time goes on", b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
    clock_gettime(CLOCK_REALTIME, &a);
    gettimeofday(&day, NULL);
    CASE("one wall clock", day.tv_sec - a.tv_sec <= 1 && time(NULL) - a.tv_sec <= 1 && a.tv_sec > 1600000000);
    CASE("bad clocks", FAILS(clock_gettime(77, &a), EINVAL) &&
                           FAILS(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, WILD), EFAULT));
    a = (struct timespec){.tv_nsec = 1000000000};
    CASE("bad time", FAILS(nanosleep(&a, NULL), EINVAL));
    signal(SIGUSR1, interrupted);
    child = fork();
    if (child == 0) {
        usleep(20000);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    CASE("an interrupted sleep tells what is left",
         FAILS(nanosleep(&long_sleep, &left), EINTR) && left.tv_sec == 4 && left.tv_nsec > 0);
    child_status(child);
    signal(SIGUSR1, SIG_DFL);
    CASE("uname",
         uname(&name) == 0 && strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
}

static void test_sockets(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/nobody-listens-here"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CASE("a path without a listener",
         fd >= 0 && FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), ENOENT));
    strcpy(address.sun_path, "/dev/null");
    CASE("a path that is no socket",
         FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), ECONNREFUSED));
    CASE("no such family", FAILS(socket(9999, SOCK_STREAM, 0), EAFNOSUPPORT));
    CASE("not a socket", FAILS(connect(1, (struct sockaddr *)&address, sizeof address), ENOTSOCK));
    close(fd);
}

/* A description is shared over fork: position, flags, and what is in none of the two. */
static void test_shared_description(void)
{
    int fd = open("/tmp/descriptors.shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
    pid_t child;

    write(fd, "0123456789", 10);
    lseek(fd, 2, SEEK_SET);
    child = fork();
    if (child == 0) {
        char two[2];

        fcntl(fd, F_SETFL, O_APPEND);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        _exit(read(fd, two, 2) != 2);
    }
    child_status(child);
    CASE("position and flags are shared",
         lseek(fd, 0, SEEK_CUR) == 4 && fcntl(fd, F_GETFL) & O_APPEND && fcntl(fd, F_GETFD) == 0);
    close(fd);
    unlink("/tmp/descriptors.shared");
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    test_numbers();
    test_devices();
    test_pipe_ends();
    test_atomic_writes();
    test_stream();
    test_killed_ends();
    test_interrupted();
    test_reopened();
    test_fifo();
    test_poll();
    test_select();
    test_pselect();
    test_epoll();
    test_eventfd();
    test_locks();
    test_copies();
    test_futex();
    test_clocks();
    test_sockets();
    test_shared_description();
    return tap_finish();
}
