/*
 * Descriptors that travel with messages: SCM_RIGHTS over AF_UNIX. Every case passes on Linux as well.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define MOST 253

static int end[2];
static int got[MOST + 10], got_count, got_flags;

static void pair(int type)
{
    if (socketpair(AF_UNIX, type, 0, end) != 0) {
        perror("socketpair");
        exit(1);
    }
}

static void unpair(void)
{
    close(end[0]);
    close(end[1]);
}

static union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE((MOST + 10) * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
} control;

/* `bytes` bytes with `count` descriptors. */
static ssize_t give(int to, const int *fds, int count, size_t bytes)
{
    char text[64] = "abcdefgh";
    struct iovec piece = {text, bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    if (count) {
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof *fds), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
    }
    return syscall(SYS_sendmsg, to, &message, MSG_NOSIGNAL); /* musl lets no more than 1 KiB of control data through */
}

/* At most `bytes` bytes, and descriptors into got[], for which there are `room` bytes. */
static ssize_t take_room(int from, size_t bytes, int flags, size_t room)
{
    char text[64];
    struct iovec piece = {text, bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = room ? &control : NULL, .msg_controllen = room};
    ssize_t result = recvmsg(from, &message, flags);

    got_count = 0;
    got_flags = message.msg_flags;
    if (result < 0)
        return result;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        got_count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(got, CMSG_DATA(header), got_count * sizeof(int));
    }
    return result;
}

static ssize_t take(int from)
{
    return take_room(from, 64, 0, sizeof control);
}

static int take_one(int from)
{
    return take(from) >= 0 && got_count == 1 ? got[0] : -1;
}

static int pass(int fd)
{
    return give(end[0], &fd, 1, 1) == 1 ? take_one(end[1]) : -1;
}

static int exit_status(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Is the pipe's reading end at its end now, that is, has nobody the other one? */
static int at_end(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 10000) == 1 && !(one.revents & POLLIN) && one.revents & POLLHUP;
}

static void test_pipes(void)
{
    int pipes[2], fd;
    char text[8] = "";
    pid_t child;

    pair(SOCK_STREAM);
    child = fork();
    if (child == 0) {
        close(end[0]);
        fd = take_one(end[1]);
        _exit(write(fd, "hello", 5) == 5 ? 7 : 8);
    }
    pipe(pipes); /* after the fork: the child has it by the message only */
    CASE("a pipe's end is sent", give(end[0], &pipes[1], 1, 1) == 1);
    close(pipes[1]);
    CASE("and written to by who got it", read(pipes[0], text, 8) == 5 && !memcmp(text, "hello", 5) && exit_status(child) == 7);
    CASE("after whom the pipe is at its end", read(pipes[0], text, 8) == 0);
    close(pipes[0]);

    child = fork();
    if (child == 0) {
        pipe(pipes);
        write(pipes[1], "late", 4);
        _exit(give(end[0], pipes, 2, 1) == 1 ? 0 : 1);
    }
    CASE("a sender may end before his message is read", exit_status(child) == 0 && take(end[1]) == 1 && got_count == 2);
    CASE("what was in the pipe is there", read(got[0], text, 8) == 4 && !memcmp(text, "late", 4));
    CASE("and both ends work", write(got[1], "x", 1) == 1 && read(got[0], text, 8) == 1);
    CASE("an end says which it is", FAILS(write(got[0], "x", 1), EBADF) && FAILS(read(got[1], text, 1), EBADF));
    close(got[1]);
    CASE("and ends as it should", at_end(got[0]));
    close(got[0]);
    unpair();
}

static void test_files(void)
{
    int file = open("/tmp/rights", O_RDWR | O_CREAT | O_TRUNC, 0600), fd, read_only = open("/tmp/rights", O_RDONLY), directory = open("/tmp", O_RDONLY);
    struct stat a, b;
    char text[8] = "";
    pid_t child;
    void *map;

    write(file, "content", 7);
    pair(SOCK_SEQPACKET);
    fd = pass(file);
    CASE(
        "a file comes as the same file", fd >= 0 && fd != file && fstat(fd, &a) == 0 && fstat(file, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    CASE("for reading and writing",
        pread(fd, text, 7, 0) == 7 && !memcmp(text, "content", 7) && pwrite(fd, "C", 1, 0) == 1 && pread(file, text, 1, 0) == 1 && text[0] == 'C');
    CASE("with its access mode and status flags", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && fcntl(fd, F_GETFD) == 0);
    close(fd);
    fd = pass(read_only);
    CASE("one for reading only stays so", pread(fd, text, 1, 0) == 1 && FAILS(write(fd, "x", 1), EBADF));
    close(fd);
    unlink("/tmp/rights");
    give(end[0], &read_only, 1, 1);
    close(read_only);
    close(file);
    fd = take_one(end[1]);
    CASE("a file without a name lives while it is under way",
        fd >= 0 && pread(fd, text, 7, 0) == 7 && !memcmp(text, "Content", 7) && fstat(fd, &a) == 0 && a.st_nlink == 0);
    close(fd);

    fd = pass(directory);
    CASE("a directory", fd >= 0 && (file = openat(fd, "rights2", O_RDWR | O_CREAT, 0600)) >= 0 && access("/tmp/rights2", F_OK) == 0);
    close(fd);
    write(file, "secret", 6);
    chmod("/tmp/rights2", 0);
    child = fork();
    if (child == 0) {
        setresgid(1000, 1000, 1000);
        setresuid(1000, 1000, 1000);
        fd = take_one(end[1]);
        _exit(open("/tmp/rights2", O_RDWR) < 0 && pread(fd, text, 6, 0) == 6 && !memcmp(text, "secret", 6) && pwrite(fd, "S", 1, 0) == 1 ? 0 : 1);
    }
    close(open("/tmp/rights2", O_RDONLY));
    fd = open("/tmp/rights2", O_RDWR);
    give(end[0], &fd, 1, 1);
    CASE("who could not open it may use it", exit_status(child) == 0 && pread(file, text, 1, 0) == 1 && text[0] == 'S');
    close(fd);
    close(file);
    unlink("/tmp/rights2");

    file = memfd_create("shared", 0);
    ftruncate(file, 4096);
    fd = pass(file);
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CASE("memory of memfd_create is shared by it", map != MAP_FAILED && (memcpy(map, "mem", 3), pread(file, text, 3, 0) == 3) && !memcmp(text, "mem", 3));
    munmap(map, 4096);
    close(fd);
    close(file);
    fd = pass(open("/dev/null", O_WRONLY));
    CASE("a device", write(fd, "x", 1) == 1 && FAILS(read(fd, text, 1), EBADF));
    close(directory);
    unpair();
}

static void test_sockets(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0rights"};
    socklen_t bytes = sizeof(sa_family_t) + 7;
    int other[2], listener, fd, client;
    struct ucred cred;
    socklen_t room = sizeof cred;
    char text[8] = "";
    pid_t child;

    pair(SOCK_STREAM);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, other);
    fd = pass(other[1]);
    close(other[1]);
    CASE("a socket's end", send(other[0], "dgram", 5, 0) == 5 && recv(fd, text, 8, 0) == 5 && send(fd, "x", 1, 0) == 1 && recv(other[0], text, 8, 0) == 1);
    CASE("says who is at the other end", getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &room) == 0 && cred.pid == getpid() && cred.uid == 0);
    close(fd);
    close(other[0]);

    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, bytes);
    listen(listener, 5);
    fd = pass(listener);
    close(listener);
    child = fork();
    if (child == 0) {
        client = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(connect(client, (struct sockaddr *)&address, bytes) == 0 && send(client, "hi", 2, 0) == 2 && recv(client, text, 8, 0) == 3 ? 0 : 1);
    }
    client = accept(fd, NULL, NULL);
    CASE("a listening socket accepts for who got it",
        client >= 0 && recv(client, text, 8, 0) == 2 && send(client, "bye", 3, 0) == 3 && exit_status(child) == 0);
    close(fd);
    fd = pass(client);
    CASE("an accepted connection", getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &room) == 0 && cred.pid == child);
    close(client);
    CASE("ends with its peer", recv(fd, text, 8, 0) == 0);
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CASE("whose name is free again", bind(fd, (struct sockaddr *)&address, bytes) == 0);
    close(fd);
    unpair();
}

static void test_others(void)
{
    struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    int event = eventfd(3, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0), fd, master, slave, process;
    uint64_t value = 0;
    char text[16] = "";
    pid_t child;

    pair(SOCK_STREAM);
    child = fork();
    if (child == 0) {
        fd = take_one(end[1]);
        value = 39;
        _exit(write(fd, &value, 8) == 8 ? 0 : 1);
    }
    close(event);
    event = eventfd(0, 0);
    give(end[0], &event, 1, 1);
    CASE("an eventfd's counter is shared, and wakes", read(event, &value, 8) == 8 && value == 39 && exit_status(child) == 0);
    child = fork();
    if (child == 0) {
        struct pollfd one = {.fd = -1, .events = POLLIN};

        one.fd = take_one(end[1]);
        _exit(poll(&one, 1, 20000) == 1 ? 0 : 1);
    }
    close(event);
    event = eventfd(0, 0);
    give(end[0], &event, 1, 1);
    usleep(20000);
    value = 1;
    write(event, &value, 8);
    CASE("also who polls it", exit_status(child) == 0);
    close(event);
    fd = pass(timer);
    timerfd_settime(timer, 0, &soon, NULL);
    CASE("a timerfd's expiries, too", read(fd, &value, 8) == 8 && value == 1);
    close(fd);
    close(timer);

    openpty(&master, &slave, NULL, NULL, NULL);
    fd = pass(slave);
    CASE("a terminal", isatty(fd) && write(fd, "tty", 3) == 3 && read(master, text, 16) == 3);
    close(slave);
    CASE("which is open while who got it has it", write(fd, "tty", 3) == 3 && read(master, text, 16) == 3);
    close(fd);
    CASE("and hung up when he closes it", FAILS(read(master, text, 16), EIO));
    close(master);

    child = fork();
    if (child == 0) {
        pause();
        _exit(1);
    }
    process = (int)syscall(SYS_pidfd_open, child, 0);
    fd = pass(process);
    CASE("a pidfd", syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0 && exit_status(child) == 1000 + SIGKILL);
    close(fd);
    close(process);
    unpair();
}

static void test_messages(void)
{
    int pipes[2], type[2] = {SOCK_STREAM, SOCK_DGRAM}, on = 1;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0letters"};
    struct ucred *cred;
    char text[64];

    for (int i = 0; i < 2; i++) {
        pair(type[i]);
        pipe(pipes);
        CASE(i ? "packets carry them" : "streams carry them", give(end[0], &pipes[1], 1, 4) == 4 && take(end[1]) == 4 && got_count == 1 && got[0] > 2);
        close(got[0]);
        give(end[0], &pipes[1], 1, 4);
        CASE("a look at a message makes descriptors, too", take_room(end[1], 64, MSG_PEEK, sizeof control) == 4 && got_count == 1);
        close(got[0]);
        CASE("and so does reading it then",
            take_room(end[1], 64, MSG_CMSG_CLOEXEC, sizeof control) == 4 && got_count == 1 && fcntl(got[0], F_GETFD) == FD_CLOEXEC);
        close(got[0]);
        give(end[0], &pipes[1], 1, 4);
        close(pipes[1]);
        CASE("who reads without asking closes them", recv(end[1], text, 64, 0) == 4 && at_end(pipes[0]));
        close(pipes[0]);
        unpair();
    }
    pair(SOCK_STREAM);
    pipe(pipes);
    give(end[0], NULL, 0, 4);
    give(end[0], pipes, 1, 1);
    give(end[0], NULL, 0, 4);
    CASE("descriptors end what a read of a stream gets", take(end[1]) == 5 && got_count == 1);
    close(got[0]);
    CASE("and what is behind them comes next", take(end[1]) == 4 && got_count == 0);
    give(end[0], pipes, 2, 3);
    CASE("the first byte brings them", take_room(end[1], 1, 0, sizeof control) == 1 && got_count == 2);
    close(got[0]);
    close(got[1]);
    CASE("and the rest does not", take(end[1]) == 2 && got_count == 0);
    CASE("a message of no bytes sends nothing on a stream", give(end[0], pipes, 2, 0) == 0 && FAILS(recv(end[1], text, 1, MSG_DONTWAIT), EAGAIN));
    setsockopt(end[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    give(end[0], pipes, 1, 1);
    CASE("credentials come beside them", take(end[1]) == 1 && got_count == 1 && control.header.cmsg_type == SCM_CREDENTIALS);
    cred = (struct ucred *)CMSG_DATA(&control.header);
    CASE("and are the sender's", cred->pid == getpid());
    close(got[0]);
    unpair();

    end[1] = socket(AF_UNIX, SOCK_DGRAM, 0);
    end[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
    bind(end[1], (struct sockaddr *)&address, sizeof(sa_family_t) + 8);
    connect(end[0], (struct sockaddr *)&address, sizeof(sa_family_t) + 8);
    CASE("a datagram to a name carries them",
        give(end[0], &pipes[1], 1, 5) == 5 && take(end[1]) == 5 && got_count == 1 && write(got[0], "x", 1) == 1 && read(pipes[0], text, 1) == 1);
    close(got[0]);
    give(end[0], &pipes[1], 1, 5);
    close(pipes[1]);
    unpair();
    CASE("one that nobody reads is closed with its receiver", at_end(pipes[0]));
    close(pipes[0]);
}

static void test_never_accepted(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0unheard"};
    socklen_t bytes = sizeof(sa_family_t) + 8;
    int pipes[2], listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);

    pipe(pipes);
    bind(listener, (struct sockaddr *)&address, bytes);
    listen(listener, 5);
    connect(client, (struct sockaddr *)&address, bytes);
    give(client, &pipes[1], 1, 1);
    close(pipes[1]);
    close(listener);
    close(client);
    CASE("what was sent to who never accepted is closed with him", at_end(pipes[0]));
    close(pipes[0]);
}

static void test_ended_unread(void)
{
    int pipes[2];
    pid_t child;
    char byte;

    pair(SOCK_STREAM);
    pipe(pipes);
    child = fork();
    if (child == 0) {
        close(end[0]);
        close(pipes[1]);
        read(end[1], &byte, 1); /* and leaves the second message there when it exits */
        exit(0);
    }
    close(end[1]);
    give(end[0], &pipes[1], 1, 1);
    give(end[0], &pipes[1], 1, 1);
    close(pipes[1]);
    CASE("a receiver that exits without reading closes them", exit_status(child) == 0 && at_end(pipes[0]));
    close(end[0]);
    close(pipes[0]);
}

static void test_misuse(void)
{
    int pipes[2], many[MOST + 1], before = open_descriptors(), epoll_like[1] = {-1}, ends[2], fine = 1;
    char text[8];

    pair(SOCK_STREAM);
    pipe(pipes);
    for (int i = 0; i <= MOST; i++)
        many[i] = pipes[1];
    CASE("253 at once", give(end[0], many, MOST, 1) == 1 && take(end[1]) == 1 && got_count == MOST);
    for (int i = 0; i < got_count; i++)
        close(got[i]);
    CASE("and no more", FAILS(give(end[0], many, MOST + 1, 1), EINVAL));
    many[3] = 999;
    CASE("none of them may be wrong", FAILS(give(end[0], many, 5, 1), EBADF) && FAILS(give(end[0], epoll_like, 1, 1), EBADF));
    CASE("then nothing was sent", FAILS(recv(end[1], text, 1, MSG_DONTWAIT), EAGAIN));
    many[3] = pipes[1];
    give(end[0], many, 5, 1);
    CASE("where there is room for some the others are closed",
        take_room(end[1], 1, 0, CMSG_LEN(2 * sizeof(int))) == 1 && got_count == 2 && got_flags & MSG_CTRUNC);
    close(got[0]);
    close(got[1]);
    give(end[0], many, 1, 1);
    CASE("no room at all tells it, too", take_room(end[1], 1, 0, 0) == 1 && got_count == 0 && got_flags & MSG_CTRUNC);
    give(end[0], &pipes[1], 1, 1);
    close(pipes[1]);
    unpair();
    CASE("what nobody read is closed with the socket", at_end(pipes[0]));
    close(pipes[0]);

    test_never_accepted();
    test_ended_unread();
    pair(SOCK_STREAM);
    pipe(pipes);
    ends[0] = end[1];
    ends[1] = pipes[1];
    give(end[0], ends, 2, 1); /* the receiving end travels to itself */
    close(pipes[1]);
    unpair();
    CASE("a socket that is under way to itself is no more, nor what is with it", at_end(pipes[0]));
    close(pipes[0]);

    for (int i = 0; i < 600 && fine; i++) {
        pair(SOCK_STREAM);
        pipe(pipes);
        fine = give(end[0], pipes, 2, 1) == 1;
        close(pipes[0]);
        close(pipes[1]);
        unpair();
    }
    CASE("600 that nobody took leave nothing behind", fine && open_descriptors() == before);
    pair(SOCK_STREAM);
    for (int i = 0; i < 600 && fine; i++) {
        int fd;

        pipe(pipes);
        fd = pass(pipes[0]);
        fine = write(pipes[1], "x", 1) == 1 && read(fd, text, 1) == 1;
        close(fd);
        close(pipes[0]);
        close(pipes[1]);
    }
    unpair();
    CASE("nor do 600 that were taken", fine && open_descriptors() == before);
}

int main(void)
{
    test_pipes();
    test_files();
    test_sockets();
    test_others();
    test_messages();
    test_misuse();
    return tap_finish();
}
