/*
 * Connected AF_UNIX sockets: streams, packets and datagrams of socketpair, what ends them, what waits for them, and what is told of them.
 * Every case passes on Linux as well.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define BIG (1024 * 1024)

static int end[2];
static unsigned char big[BIG];
static void *volatile wild; /* set to an address that is nobody's: the compiler shall not know */

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

static short polled(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};

    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

static int exit_status(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void handle(int number, int flags)
{
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};

    sigaction(number, &action, NULL);
    signals = 0;
}

static void test_making(void)
{
    struct stat stat;
    int pipe_ends[2];

    CASE("no such family", FAILS(socketpair(AF_INET6 + 900, SOCK_STREAM, 0, end), EAFNOSUPPORT));
    CASE("no such protocol", FAILS(socketpair(AF_UNIX, SOCK_STREAM, 77, end), EPROTONOSUPPORT));
    CASE("no such type", FAILS(socketpair(AF_UNIX, 6, 0, end), ESOCKTNOSUPPORT));
    CASE("type out of range", FAILS(socketpair(AF_UNIX, 15, 0, end), EINVAL));
    CASE("nowhere to tell", FAILS(socketpair(AF_UNIX, SOCK_STREAM, 0, wild), EFAULT));
    pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    CASE("flags", fcntl(end[0], F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(end[1], F_GETFD) == FD_CLOEXEC);
    CASE("fstat", fstat(end[0], &stat) == 0 && S_ISSOCK(stat.st_mode) && (stat.st_mode & 0777) == 0777);
    CASE("no position", FAILS(lseek(end[0], 0, SEEK_CUR), ESPIPE) && FAILS(pread(end[0], big, 1, 0), ESPIPE));
    unpair();
    CASE("closed", FAILS(send(end[0], "x", 1, 0), EBADF) && FAILS(shutdown(end[0], SHUT_RD), EBADF));
    pipe(pipe_ends);
    CASE("a pipe is none", FAILS(send(pipe_ends[1], "x", 1, 0), ENOTSOCK) && FAILS(recv(pipe_ends[0], big, 1, 0), ENOTSOCK) &&
                               FAILS(shutdown(pipe_ends[0], SHUT_RD), ENOTSOCK));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void test_stream(void)
{
    char text[32] = "";
    struct iovec two[2] = {{"ab", 2}, {"cde", 3}}, into[2] = {{text, 1}, {text + 8, 10}};
    int there;

    pair(SOCK_STREAM);
    CASE("write, read", write(end[0], "hello", 5) == 5 && read(end[1], text, sizeof text) == 5 && !memcmp(text, "hello", 5));
    CASE("the other way", send(end[1], "back", 4, 0) == 4 && recv(end[0], text, 2, 0) == 2 && !memcmp(text, "ba", 2));
    CASE("the rest", recv(end[0], text, sizeof text, 0) == 2 && !memcmp(text, "ck", 2));
    CASE("records run together", write(end[0], "one", 3) == 3 && write(end[0], "two", 3) == 3 &&
                                     read(end[1], text, sizeof text) == 6 && !memcmp(text, "onetwo", 6));
    CASE("vectors", writev(end[0], two, 2) == 5 && readv(end[1], into, 2) == 5 && text[0] == 'a' && !memcmp(text + 8, "bcde", 4));
    write(end[0], "peek", 4);
    CASE("peek", recv(end[1], text, 2, MSG_PEEK) == 2 && recv(end[1], text, 10, MSG_PEEK) == 4 && !memcmp(text, "peek", 4));
    CASE("FIONREAD", ioctl(end[1], FIONREAD, &there) == 0 && there == 4);
    CASE("peeked at and read", recv(end[1], text, 10, 0) == 4 && ioctl(end[1], FIONREAD, &there) == 0 && there == 0);
    CASE("nothing, and no wait", FAILS(recv(end[1], text, 1, MSG_DONTWAIT), EAGAIN));
    CASE("no bytes", write(end[0], "", 0) == 0 && read(end[1], text, 0) == 0);
    CASE("out of band", FAILS(recv(end[1], text, 1, MSG_OOB), EINVAL) || errno == EOPNOTSUPP);
    CASE("a bad address", FAILS(write(end[0], wild, 5), EFAULT) && FAILS(recv(end[1], text, 1, MSG_DONTWAIT), EAGAIN));
    write(end[0], "kept", 4);
    CASE("a bad buffer loses nothing", FAILS(read(end[1], wild, 4), EFAULT) && read(end[1], text, 9) == 4);
    CASE("an address with a stream", FAILS(sendto(end[0], "x", 1, 0, (struct sockaddr *)&(struct sockaddr_un){.sun_family = AF_UNIX}, 2), EISCONN));
    unpair();
}

static void test_wait_all(void)
{
    char text[16] = "";
    pid_t child;

    pair(SOCK_STREAM);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 10; i++) {
            usleep(2000);
            write(end[0], "0123456789" + i, 1);
        }
        _exit(0);
    }
    CASE("MSG_WAITALL", recv(end[1], text, 10, MSG_WAITALL) == 10 && !memcmp(text, "0123456789", 10));
    exit_status(child);
    write(end[0], "rest", 4);
    close(end[0]);
    CASE("MSG_WAITALL at the end", recv(end[1], text, 10, MSG_WAITALL) == 4);
    close(end[1]);
}

/* A megabyte from a child, in odd parts: every byte in its place. */
static void test_bulk(int type, const char *name)
{
    pid_t child;
    size_t got = 0;
    int good = 1;

    pair(type);
    child = fork();
    if (child == 0) {
        close(end[0]);
        for (size_t i = 0; i < BIG; i++)
            big[i] = (unsigned char)(i * 31 >> 3);
        for (size_t sent = 0, part = 1; sent < BIG; part = part * 7 % 30011 + 1) {
            ssize_t n = write(end[1], big + sent, part < BIG - sent ? part : BIG - sent);

            if (n <= 0)
                _exit(1);
            sent += (size_t)n;
        }
        _exit(0);
    }
    close(end[1]);
    while (got < BIG) {
        static unsigned char part[40000];
        ssize_t n = read(end[0], part, sizeof part);

        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            good &= part[i] == (unsigned char)((got + (size_t)i) * 31 >> 3);
        got += (size_t)n;
    }
    CASE(name, got == BIG && good && (type == SOCK_DGRAM || read(end[0], big, 1) == 0) && exit_status(child) == 0);
    close(end[0]);
}

static void test_packets(int type)
{
    char text[16] = "";
    struct iovec two[2] = {{"ab", 2}, {"cd", 2}};
    struct msghdr message = {.msg_iov = &(struct iovec){text, 3}, .msg_iovlen = 1};
    int there;

    pair(type);
    CASE("packets stay apart", write(end[0], "one", 3) == 3 && write(end[0], "three", 5) == 5 && read(end[1], text, 16) == 3 &&
                                   read(end[1], text, 16) == 5);
    CASE("a vector is one packet", writev(end[0], two, 2) == 4 && read(end[1], text, 16) == 4 && !memcmp(text, "abcd", 4));
    CASE("what does not fit is gone", write(end[0], "abcdef", 6) == 6 && write(end[0], "g", 1) == 1 && read(end[1], text, 2) == 2 &&
                                          read(end[1], text, 16) == 1 && text[0] == 'g');
    write(end[0], "abcdef", 6);
    CASE("MSG_TRUNC tells the length", recv(end[1], text, 2, MSG_TRUNC | MSG_PEEK) == 6);
    CASE("FIONREAD is a datagram's, or all", write(end[0], "gh", 2) == 2 && ioctl(end[1], FIONREAD, &there) == 0 &&
                                                 there == (type == SOCK_DGRAM ? 6 : 8));
    CASE("recvmsg tells of the cut", recvmsg(end[1], &message, 0) == 3 && message.msg_flags == MSG_TRUNC);
    CASE("the next is whole", recvmsg(end[1], &message, 0) == 2 && message.msg_flags == 0);
    CASE("an empty packet", send(end[0], "", 0, 0) == 0 && polled(end[1], POLLIN) == POLLIN && recv(end[1], text, 9, 0) == 0);
    CASE("too long", FAILS(send(end[0], big, BIG, 0), EMSGSIZE));
    unpair();
}

static void test_end_of_stream(int type)
{
    char text[16];

    pair(type);
    write(end[0], "last", 4);
    CASE("shutdown for writing", shutdown(end[0], SHUT_WR) == 0);
    CASE("what was written comes, then the end", read(end[1], text, 16) == 4 && read(end[1], text, 16) == 0 &&
                                                     recv(end[1], text, 1, MSG_DONTWAIT) == 0);
    CASE("poll sees half an end", polled(end[1], POLLIN | POLLRDHUP | POLLOUT) == (POLLIN | POLLRDHUP | POLLOUT));
    CASE("the other way goes on", write(end[1], "more", 4) == 4 && read(end[0], text, 16) == 4);
    CASE("no more writing", FAILS(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE));
    CASE("both ways shut", shutdown(end[1], SHUT_WR) == 0 && polled(end[1], POLLIN) == (POLLIN | POLLHUP));
    CASE("a bad way", FAILS(shutdown(end[1], 3), EINVAL) && FAILS(shutdown(end[1], -1), EINVAL));
    unpair();
    pair(type);
    CASE("shutdown for reading", shutdown(end[0], SHUT_RD) == 0 && read(end[0], text, 1) == 0 &&
                                     FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE));
    unpair();
    pair(type);
    write(end[0], "last", 4);
    close(end[0]);
    CASE("closed: data, then the end", read(end[1], text, 16) == 4 && read(end[1], text, 16) == 0);
    CASE("closed: poll", polled(end[1], POLLIN | POLLOUT | POLLRDHUP) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP));
    CASE("closed: nobody reads", FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE));
    close(end[1]);
}

static void test_reset(int type)
{
    char text[16];
    int error = -1;
    socklen_t length = sizeof error;

    pair(type);
    write(end[1], "unread", 6);
    write(end[0], "data", 4);
    close(end[0]);
    CASE("poll tells of a reset", polled(end[1], POLLIN) == (POLLIN | POLLERR | POLLHUP));
    if (type == SOCK_STREAM)
        CASE("a reset: data first", read(end[1], text, 16) == 4 && FAILS(read(end[1], text, 16), ECONNRESET));
    else
        CASE("a reset: itself first", FAILS(read(end[1], text, 16), ECONNRESET) && read(end[1], text, 16) == 4);
    CASE("a reset, once", read(end[1], text, 16) == 0);
    close(end[1]);
    pair(type);
    write(end[1], "unread", 6);
    close(end[0]);
    CASE("SO_ERROR", getsockopt(end[1], SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ECONNRESET &&
                         getsockopt(end[1], SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
    close(end[1]);
}

static void test_sigpipe(void)
{
    pair(SOCK_STREAM);
    close(end[0]);
    handle(SIGPIPE, 0);
    CASE("SIGPIPE", FAILS(write(end[1], "x", 1), EPIPE) && signals == 1);
    CASE("MSG_NOSIGNAL", FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE) && signals == 1);
    close(end[1]);
    pair(SOCK_SEQPACKET);
    close(end[0]);
    CASE("packets raise none", FAILS(write(end[1], "x", 1), EPIPE) && signals == 1);
    close(end[1]);
    signal(SIGPIPE, SIG_DFL);
}

static void test_datagrams(void)
{
    char text[16];

    pair(SOCK_DGRAM | SOCK_NONBLOCK);
    write(end[0], "last", 4);
    close(end[0]);
    CASE("a datagram outlives its sender", read(end[1], text, 16) == 4);
    CASE("and there is no end", FAILS(read(end[1], text, 16), EAGAIN));
    CASE("nobody there", FAILS(write(end[1], "x", 1), ECONNREFUSED) && FAILS(write(end[1], "x", 1), ENOTCONN));
    close(end[1]);
    pair(SOCK_DGRAM);
    CASE("one's own writing shut", shutdown(end[0], SHUT_WR) == 0 && FAILS(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE) &&
                                       FAILS(recv(end[1], text, 1, MSG_DONTWAIT), EAGAIN));
    CASE("the other's reading shut", shutdown(end[0], SHUT_RD) == 0 && FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE));
    unpair();
}

static void test_full(int type)
{
    char block[1000] = "";
    int sent = 0, got = 0;
    ssize_t n;

    pair(type | SOCK_NONBLOCK);
    CASE("room at first", polled(end[0], POLLOUT) == POLLOUT && polled(end[1], POLLIN) == 0);
    while ((n = write(end[0], block, sizeof block)) > 0)
        sent += (int)n;
    CASE("full", n == -1 && errno == EAGAIN && sent >= 20000 && polled(end[0], POLLOUT) == 0);
    while ((n = read(end[1], block, sizeof block)) > 0)
        got += (int)n;
    CASE("all there again", got == sent && polled(end[0], POLLOUT) == POLLOUT);
    unpair();
}

static void test_timeouts(void)
{
    struct timeval short_time = {.tv_usec = 20000}, told;
    socklen_t length = sizeof told;
    char text[1];
    ssize_t n;

    pair(SOCK_STREAM);
    CASE("SO_RCVTIMEO", setsockopt(end[0], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time) == 0 &&
                            FAILS(read(end[0], text, 1), EAGAIN));
    CASE("told back", getsockopt(end[0], SOL_SOCKET, SO_RCVTIMEO, &told, &length) == 0 && told.tv_sec == 0 && told.tv_usec == 20000);
    CASE("SO_SNDTIMEO", setsockopt(end[0], SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof short_time) == 0);
    while ((n = write(end[0], big, 10000)) > 0)
        ;
    CASE("a write has its time, too", n == -1 && errno == EAGAIN);
    short_time.tv_usec = 1000000;
    CASE("bad times", FAILS(setsockopt(end[0], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time), EDOM) &&
                          FAILS(setsockopt(end[0], SOL_SOCKET, SO_RCVTIMEO, &short_time, 8), EINVAL));
    unpair();
}

static void test_interrupted(void)
{
    pid_t parent = getpid(), child;
    char text[1];

    pair(SOCK_STREAM);
    handle(SIGUSR1, 0);
    child = fork();
    if (child == 0) {
        usleep(20000);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    CASE("a signal ends a read", FAILS(read(end[0], text, 1), EINTR) && signals == 1);
    exit_status(child);
    handle(SIGUSR1, SA_RESTART);
    child = fork();
    if (child == 0) {
        usleep(20000);
        kill(parent, SIGUSR1);
        usleep(20000);
        write(end[1], "r", 1);
        _exit(0);
    }
    CASE("or not", read(end[0], text, 1) == 1 && text[0] == 'r' && signals == 1);
    exit_status(child);
    unpair();
    signal(SIGUSR1, SIG_DFL);
}

static int number(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && length == sizeof value ? value : -1;
}

static void test_options(void)
{
    int value = 1000, on = 1;
    struct ucred cred;
    socklen_t length = sizeof cred;
    struct sockaddr_un address;
    char byte = 77;

    pair(SOCK_SEQPACKET);
    CASE("what it is", number(end[0], SO_TYPE) == SOCK_SEQPACKET && number(end[0], SO_DOMAIN) == AF_UNIX &&
                           number(end[0], SO_PROTOCOL) == 0 && number(end[0], SO_ACCEPTCONN) == 0 && number(end[0], SO_ERROR) == 0);
    CASE("SO_PEERCRED", getsockopt(end[0], SOL_SOCKET, SO_PEERCRED, &cred, &length) == 0 && length == sizeof cred &&
                            cred.pid == getpid() && cred.uid == geteuid() && cred.gid == getegid());
    CASE("buffers", number(end[0], SO_SNDBUF) == 212992 && setsockopt(end[0], SOL_SOCKET, SO_SNDBUF, &value, 4) == 0 &&
                        number(end[0], SO_SNDBUF) == 4608);
    value = 20000;
    CASE("twice what was asked for", setsockopt(end[0], SOL_SOCKET, SO_RCVBUF, &value, 4) == 0 && number(end[0], SO_RCVBUF) == 40000);
    CASE("switches", setsockopt(end[0], SOL_SOCKET, SO_REUSEADDR, &on, 4) == 0 && number(end[0], SO_REUSEADDR) == 1 &&
                         setsockopt(end[0], SOL_SOCKET, SO_KEEPALIVE, &on, 4) == 0 && number(end[0], SO_KEEPALIVE) == 1 &&
                         number(end[1], SO_KEEPALIVE) == 0);
    CASE("too short", FAILS(setsockopt(end[0], SOL_SOCKET, SO_REUSEADDR, &on, 1), EINVAL));
    CASE("not to be set", FAILS(setsockopt(end[0], SOL_SOCKET, SO_TYPE, &on, 4), ENOPROTOOPT) &&
                              FAILS(setsockopt(end[0], SOL_SOCKET, 9999, &on, 4), ENOPROTOOPT));
    length = 1;
    CASE("a byte of an option", getsockopt(end[0], SOL_SOCKET, SO_TYPE, &byte, &length) == 0 && length == 1 && byte == SOCK_SEQPACKET);
    CASE("bad memory", FAILS(getsockopt(end[0], SOL_SOCKET, SO_TYPE, wild, &length), EFAULT) &&
                           FAILS(setsockopt(end[0], SOL_SOCKET, SO_REUSEADDR, wild, 4), EFAULT));
    CASE("no such level", FAILS(setsockopt(end[0], 6, 1, &on, 4), EOPNOTSUPP) && (length = 4, FAILS(getsockopt(end[0], 6, 1, &on, &length), EOPNOTSUPP)));
    length = sizeof address;
    CASE("no name", getsockname(end[0], (struct sockaddr *)&address, &length) == 0 && length == 2 && address.sun_family == AF_UNIX);
    length = sizeof address;
    CASE("nor has the peer", getpeername(end[0], (struct sockaddr *)&address, &length) == 0 && length == 2);
    unpair();
}

static void test_messages(void)
{
    char one[8], two[8];
    struct iovec piece[2] = {{one, 8}, {two, 8}};
    struct mmsghdr many[2] = {{.msg_hdr = {.msg_iov = &piece[0], .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &piece[1], .msg_iovlen = 1}}};
    union {
        struct cmsghdr header;
        char block[64];
    } control;
    struct msghdr message = {.msg_iov = piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct ucred cred;
    int on = 1;

    pair(SOCK_DGRAM);
    memcpy(one, "first...", 8);
    memcpy(two, "second..", 8);
    CASE("sendmmsg", sendmmsg(end[0], many, 2, 0) == 2 && many[0].msg_len == 8 && many[1].msg_len == 8);
    memset(one, 0, 8);
    memset(two, 0, 8);
    CASE("recvmmsg", recvmmsg(end[1], many, 2, 0, NULL) == 2 && !memcmp(one, "first...", 8) && !memcmp(two, "second..", 8));
    send(end[0], "x", 1, 0);
    CASE("recvmmsg takes what there is", recvmmsg(end[1], many, 2, MSG_DONTWAIT, NULL) == 1 && many[0].msg_len == 1);
    send(end[0], "x", 1, 0);
    CASE("MSG_WAITFORONE", recvmmsg(end[1], many, 2, MSG_WAITFORONE, NULL) == 1);
    CASE("nothing for recvmmsg", FAILS(recvmmsg(end[1], many, 2, MSG_DONTWAIT, NULL), EAGAIN));
    setsockopt(end[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    send(end[0], "x", 1, 0);
    CASE("credentials come", recvmsg(end[1], &message, 0) == 1 && message.msg_controllen == CMSG_SPACE(sizeof cred) &&
                                 control.header.cmsg_type == SCM_CREDENTIALS && control.header.cmsg_len == CMSG_LEN(sizeof cred));
    memcpy(&cred, CMSG_DATA(&control.header), sizeof cred);
    CASE("and are mine", cred.pid == getpid() && cred.uid == getuid() && cred.gid == getgid());
    message.msg_controllen = 20;
    send(end[0], "x", 1, 0);
    CASE("no room for them", recvmsg(end[1], &message, 0) == 1 && message.msg_flags & MSG_CTRUNC && message.msg_controllen == 20);
    control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof cred), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS};
    message.msg_controllen = CMSG_SPACE(sizeof cred);
    message.msg_iov->iov_len = 1;
    CASE("credentials sent", sendmsg(end[0], &message, 0) == 1 && recv(end[1], one, 8, 0) == 1);
    control.header.cmsg_len = 8;
    CASE("a bad header", FAILS(sendmsg(end[0], &message, 0), EINVAL));
    message.msg_iov = wild;
    message.msg_controllen = 0;
    CASE("a bad vector", FAILS(sendmsg(end[0], &message, 0), EFAULT) && FAILS(syscall(SYS_sendmsg, end[0], wild, 0L), EFAULT));
    message.msg_iov = piece;
    message.msg_iovlen = 100000;
    CASE("too many pieces", FAILS(syscall(SYS_sendmsg, end[0], &message, 0L), EMSGSIZE));
    unpair();
}

/* The number of bytes that the child of a child writes back through a descriptor that it got from exec. */
static void test_inherited(char *self)
{
    char text[16] = "";
    pid_t child;

    pair(SOCK_STREAM);
    child = fork();
    if (child == 0) {
        char fd[12];

        snprintf(fd, sizeof fd, "%d", end[1]);
        close(end[0]);
        execl(self, self, fd, (char *)NULL);
        _exit(2);
    }
    close(end[1]);
    CASE("over exec", write(end[0], "ping", 4) == 4 && read(end[0], text, 16) == 4 && !memcmp(text, "gnip", 4));
    CASE("its end is seen", read(end[0], text, 16) == 0 && exit_status(child) == 0);
    close(end[0]);
    pair(SOCK_STREAM);
    child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    close(end[1]);
    CASE("a relative keeps it open", FAILS(recv(end[0], text, 1, MSG_DONTWAIT), EAGAIN));
    kill(child, SIGKILL);
    CASE("kill -9 closes it", read(end[0], text, 1) == 0 && exit_status(child) == 1000 + SIGKILL);
    close(end[0]);
}

static int be_executed(const char *fd_text)
{
    int fd = atoi(fd_text);
    char text[4];

    if (read(fd, text, 4) != 4)
        return 1;
    return write(fd, (char[]){text[3], text[2], text[1], text[0]}, 4) != 4;
}

static void test_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u32 = 7}, found[2];
    int set = epoll_create1(0);
    pid_t child;
    char text[4];
    fd_set readable;

    pair(SOCK_STREAM);
    epoll_ctl(set, EPOLL_CTL_ADD, end[0], &event);
    CASE("nothing", epoll_wait(set, found, 2, 0) == 0);
    write(end[1], "x", 1);
    CASE("an edge", epoll_wait(set, found, 2, 0) == 1 && found[0].events == EPOLLIN && found[0].data.u32 == 7 &&
                        epoll_wait(set, found, 2, 0) == 0);
    write(end[1], "y", 1);
    CASE("another edge", epoll_wait(set, found, 2, 0) == 1);
    read(end[0], text, 4);
    child = fork();
    if (child == 0) {
        usleep(20000);
        shutdown(end[1], SHUT_WR);
        _exit(0);
    }
    CASE("asleep until the end", epoll_wait(set, found, 2, 5000) == 1 && found[0].events == (EPOLLIN | EPOLLRDHUP));
    exit_status(child);
    unpair();
    close(set);
    pair(SOCK_STREAM);
    child = fork();
    if (child == 0) {
        usleep(20000);
        write(end[1], "x", 1);
        _exit(0);
    }
    FD_ZERO(&readable);
    FD_SET(end[0], &readable);
    CASE("select sleeps", select(end[0] + 1, &readable, NULL, NULL, &(struct timeval){.tv_sec = 5}) == 1 && FD_ISSET(end[0], &readable));
    exit_status(child);
    unpair();
}

/* Two writers and two readers share the two ends: every byte arrives once. */
static void test_shared(void)
{
    pid_t child[4];
    int done[2], total = 0, part;

    pair(SOCK_STREAM);
    pipe(done);
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i])
            continue;
        close(end[i & 1]);
        if (i & 1) { /* reads from end 0 */
            ssize_t n;

            part = 0;
            while ((n = read(end[0], big, 700)) > 0)
                part += (int)n;
            write(done[1], &part, sizeof part);
            _exit(n != 0);
        }
        for (int k = 0; k < 400; k++)
            write(end[1], big, 300);
        _exit(0);
    }
    unpair();
    close(done[1]);
    while (read(done[0], &part, sizeof part) == sizeof part)
        total += part;
    CASE("shared ends", exit_status(child[0]) + exit_status(child[1]) + exit_status(child[2]) + exit_status(child[3]) == 0 &&
                            total == 2 * 400 * 300);
    close(done[0]);
}

static void test_unconnected(void)
{
    char text[4];
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int stream = socket(AF_UNIX, SOCK_STREAM, 0), packet = socket(AF_UNIX, SOCK_SEQPACKET, 0), datagram = socket(AF_UNIX, SOCK_DGRAM, 0);

    CASE("not connected: read", FAILS(read(stream, text, 1), EINVAL) && FAILS(read(packet, text, 1), ENOTCONN) &&
                                    FAILS(recv(datagram, text, 1, MSG_DONTWAIT), EAGAIN));
    CASE("not connected: write", FAILS(send(stream, text, 1, MSG_NOSIGNAL), ENOTCONN) && FAILS(write(packet, text, 1), ENOTCONN) &&
                                     FAILS(write(datagram, text, 1), ENOTCONN));
    CASE("not connected: poll", polled(stream, POLLIN | POLLOUT) == (POLLOUT | POLLHUP) && polled(datagram, POLLIN | POLLOUT) == POLLOUT);
    CASE("not connected: names", FAILS(getpeername(stream, (struct sockaddr *)&address, &length), ENOTCONN) &&
                                     getsockname(stream, (struct sockaddr *)&address, &length) == 0 && length == 2);
    CASE("not connected: shutdown", shutdown(stream, SHUT_RDWR) == 0);
    close(stream);
    close(packet);
    close(datagram);
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (count == 2)
        return be_executed(arguments[1]);
    wild = (void *)16;
    alarm(90);
    test_making();
    test_stream();
    test_wait_all();
    test_bulk(SOCK_STREAM, "a megabyte of stream");
    test_bulk(SOCK_SEQPACKET, "a megabyte of packets");
    test_bulk(SOCK_DGRAM, "a megabyte of datagrams");
    test_packets(SOCK_SEQPACKET);
    test_packets(SOCK_DGRAM);
    test_end_of_stream(SOCK_STREAM);
    test_end_of_stream(SOCK_SEQPACKET);
    test_reset(SOCK_STREAM);
    test_reset(SOCK_SEQPACKET);
    test_sigpipe();
    test_datagrams();
    test_full(SOCK_STREAM);
    test_full(SOCK_SEQPACKET);
    test_timeouts();
    test_interrupted();
    test_options();
    test_messages();
    test_inherited(arguments[0]);
    test_epoll();
    test_shared();
    test_unconnected();
    return tap_finish();
}
