/*
 * Peers that spoil, flood and die. A connection's pages are shared with a stranger, who may write anything into them at any time: that costs him
 * the conversation, and nobody else anything. On Linux there is nothing to scribble on, and the same cases pass.
 * guest-test: --timeout 150
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "misuse.h"

#define LIBOS_SHARED 0x7ffff0110000ul /* descriptions and rings (layout.h) */
#define LIBOS_SHARED_PAGES 4096ul
#define LINK_PAGES 33u

static int named_socket(const char *name, int type, struct sockaddr_un *address, socklen_t *length)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path + 1, name, strlen(name));
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    return socket(AF_UNIX, type, 0);
}

static int bound(const char *name, int type, int backlog)
{
    struct sockaddr_un address;
    socklen_t length;
    int fd = named_socket(name, type, &address, &length);

    if (bind(fd, (struct sockaddr *)&address, length) != 0 || (backlog && listen(fd, backlog) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int connected(const char *name, int type)
{
    struct sockaddr_un address;
    socklen_t length;
    int fd = named_socket(name, type, &address, &length);

    if (connect(fd, (struct sockaddr *)&address, length) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static sigjmp_buf lost;

static void on_fault(int number)
{
    (void)number;
    siglongjmp(lost, 1);
}

/* The page that two processes have of a connection, as the libOS lays it out: a version and a number of pages. NULL on Linux. */
static volatile uint32_t *find_link(void)
{
    signal(SIGSEGV, on_fault);
    for (unsigned long page = 0; page < LIBOS_SHARED_PAGES; page++) {
        volatile uint32_t *words = (volatile uint32_t *)(LIBOS_SHARED + page * PAGE);

        if (sigsetjmp(lost, 1) == 0 && words[0] == 1 && words[1] == LINK_PAGES)
            return words;
    }
    return NULL;
}

static uint32_t seed = 12345;

static uint32_t any(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

/* Connects, says something, and scribbles on the connection until it is killed. */
static _Noreturn void scribbler(int type)
{
    int fd = connected("scribbled", type);
    volatile uint32_t *words = find_link();

    for (uint32_t round = 0;; round++) {
        if (round % 8 == 0)
            (void)!send(fd, "data", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (!words)
            continue;
        words[2 + any() % 200] = any() % 3 ? any() : any() % 70000;  /* positions, counts, options, names */
        words[1024 + any() % (2 * 16384)] = any() % 2 ? any() : any() % 300; /* records */
    }
}

static int survive(void *argument)
{
    int type = *(int *)argument, server = bound("scribbled", type, 5), fd, bytes;
    static char block[4096];
    pid_t child;

    signal(SIGPIPE, SIG_IGN);
    child = fork();
    if (child == 0)
        scribbler(type);
    fd = accept(server, NULL, NULL);
    for (int i = 0; i < 20000; i++) {
        struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};
        struct iovec piece = {block, sizeof block};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = block, .msg_controllen = 256};
        struct sockaddr_un name;
        socklen_t length = sizeof name;

        switch (i % 6) {
        case 0: (void)!recv(fd, block, sizeof block, MSG_DONTWAIT); break;
        case 1: (void)!send(fd, block, (size_t)(i % 4000), MSG_DONTWAIT); break;
        case 2: (void)!poll(&one, 1, 0); break;
        case 3: (void)!ioctl(fd, FIONREAD, &bytes); break;
        case 4: (void)!recvmsg(fd, &message, MSG_DONTWAIT | MSG_PEEK); break;
        default: (void)!getpeername(fd, (struct sockaddr *)&name, &length); break;
        }
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
    fd = connected("scribbled", type); /* the next conversation is whole */
    if (fd < 0 || (bytes = accept(server, NULL, NULL)) < 0)
        return 2;
    return write(fd, "whole", 5) == 5 && read(bytes, block, sizeof block) == 5 && !memcmp(block, "whole", 5) ? 0 : 3;
}

/* Takes all the names that it can get. */
static int take_names(void *argument)
{
    int count = 0;

    (void)argument;
    for (int i = 0; i < 400; i++) {
        char name[16];

        snprintf(name, sizeof name, "greedy%d", i);
        count += bound(name, SOCK_STREAM, 1) >= 0;
    }
    return count >= 100 ? 0 : 1;
}

/* Connects without end to a line that is long, and nobody accepts. */
static int flood(void *argument)
{
    int server = bound("flooded", SOCK_STREAM, 100000), count = 0;

    (void)argument;
    for (int i = 0; i < 400; i++) {
        struct sockaddr_un address;
        socklen_t length;
        int fd = named_socket("flooded", SOCK_STREAM | SOCK_NONBLOCK, &address, &length);

        count += connect(fd, (struct sockaddr *)&address, length) == 0;
    }
    close(server);
    return count >= 100 ? 0 : 1;
}

static bool meeting_works(void)
{
    int server = bound("still works", SOCK_STREAM, 1), fd = connected("still works", SOCK_STREAM), accepted = accept(server, NULL, NULL);
    char byte;
    bool works = write(fd, "x", 1) == 1 && read(accepted, &byte, 1) == 1 && byte == 'x';

    close(server);
    close(fd);
    close(accepted);
    return works;
}

/* Killed at any moment of making, meeting and talking: a hundred times. */
static _Noreturn void busy(void)
{
    for (;;) {
        int server = bound("killed", SOCK_STREAM, 5), fd = connected("killed", SOCK_STREAM), accepted = accept4(server, NULL, NULL, SOCK_NONBLOCK), pair[2];
        char block[64] = "";

        (void)!write(fd, block, sizeof block);
        (void)!read(accepted, block, sizeof block);
        (void)!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
        (void)!write(pair[0], block, sizeof block);
        shutdown(fd, SHUT_RDWR);
        close(fd);
        close(accepted);
        close(server);
        close(pair[0]);
        close(pair[1]);
    }
}

static bool killed_anywhere(void)
{
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();

        if (child == 0) {
            signal(SIGPIPE, SIG_IGN);
            busy();
        }
        usleep(1000 + (unsigned)i * 97);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    for (int i = 0; i < 100; i++) { /* the name is free as soon as the server has heard of the death */
        int fd = bound("killed", SOCK_STREAM, 1);

        if (fd >= 0) {
            close(fd);
            return true;
        }
        usleep(10000);
    }
    return false;
}

int main(void)
{
    int stream = SOCK_STREAM, packet = SOCK_SEQPACKET;

    setvbuf(stdout, NULL, _IONBF, 0);
    CASE("a stranger who scribbles on a stream", exited_with(in_child(survive, &stream), 0));
    CASE("a stranger who scribbles on packets", exited_with(in_child(survive, &packet), 0));
    CASE("all names taken", exited_with(in_child(take_names, NULL), 0));
    CASE("and free when he has ended", exited_with(in_child(take_names, NULL), 0) && meeting_works());
    CASE("a line that nobody serves", exited_with(in_child(flood, NULL), 0));
    CASE("and its pages are free", exited_with(in_child(flood, NULL), 0) && exited_with(in_child(flood, NULL), 0) && meeting_works());
    CASE("killed anywhere", killed_anywhere() && meeting_works());
    return tap_finish();
}
