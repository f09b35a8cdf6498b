/* Asking which descriptors are ready, when some are: nobody sleeps. */
#define _GNU_SOURCE
#include "bench.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 100

/* Pipes of which the last one alone has something to read. */
static void make_pipes(int in[], int out[], int count)
{
    for (int i = 0; i < count; i++) {
        int end[2];
        must(pipe(end), "pipe");
        in[i] = end[0];
        out[i] = end[1];
    }
    must(write(out[count - 1], "r", 1), "write");
}

static void close_pipes(const int in[], const int out[], int count)
{
    for (int i = 0; i < count; i++)
        close(in[i]), close(out[i]);
}

static uint64_t epoll(int count, long n)
{
    int in[MANY], out[MANY], set = (int)must(epoll_create1(0), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN};
    make_pipes(in, out, count);
    for (int i = 0; i < count; i++)
        must(epoll_ctl(set, EPOLL_CTL_ADD, in[i], &event), "epoll_ctl");
    uint64_t took = TIMED(n, {
        if (epoll_wait(set, &event, 1, -1) != 1)
            fail("epoll_wait");
    });
    close(set);
    close_pipes(in, out, count);
    return took;
}

static uint64_t epoll_1(long n)
{
    return epoll(1, n);
}

static uint64_t epoll_100(long n)
{
    return epoll(MANY, n);
}

/* A byte there and a byte back, to a process that sleeps in epoll_wait for a hundred connections of which one is used. */
static uint64_t epoll_ping_pong_100(long n)
{
    int near[MANY], far[MANY];
    char byte = 'p';
    for (int i = 0; i < MANY; i++) {
        int end[2];
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, end), "socketpair");
        near[i] = end[0], far[i] = end[1];
    }
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0) {
        int set = (int)must(epoll_create1(0), "epoll_create1");
        for (int i = 0; i < MANY; i++) {
            struct epoll_event event = {.events = EPOLLIN, .data = {.fd = far[i]}};
            close(near[i]);
            must(epoll_ctl(set, EPOLL_CTL_ADD, far[i], &event), "epoll_ctl");
        }
        for (;;) {
            struct epoll_event event;
            must(epoll_wait(set, &event, 1, -1), "epoll_wait");
            if (read(event.data.fd, &byte, 1) != 1)
                _exit(0);
            must(write(event.data.fd, &byte, 1), "write");
        }
    }
    for (int i = 0; i < MANY; i++)
        close(far[i]);
    uint64_t took = TIMED(n, {
        if (write(near[MANY - 1], &byte, 1) != 1 || read(near[MANY - 1], &byte, 1) != 1)
            fail("epoll_pingpong_100");
    });
    for (int i = 0; i < MANY; i++)
        close(near[i]);
    must(waitpid(child, NULL, 0), "waitpid");
    return took;
}

static uint64_t poll_many(int count, long n)
{
    int in[MANY], out[MANY];
    struct pollfd polled[MANY];
    make_pipes(in, out, count);
    for (int i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = in[i], .events = POLLIN};
    uint64_t took = TIMED(n, {
        if (poll(polled, (nfds_t)count, -1) != 1)
            fail("poll");
    });
    close_pipes(in, out, count);
    return took;
}

static uint64_t poll_1(long n)
{
    return poll_many(1, n);
}

static uint64_t poll_100(long n)
{
    return poll_many(MANY, n);
}

static uint64_t select_100(long n)
{
    int in[MANY], out[MANY];
    make_pipes(in, out, MANY);
    uint64_t took = TIMED(n, {
        fd_set set;
        FD_ZERO(&set);
        for (int i = 0; i < MANY; i++)
            FD_SET(in[i], &set);
        if (select(in[MANY - 1] + 1, &set, NULL, NULL, NULL) != 1)
            fail("select");
    });
    close_pipes(in, out, MANY);
    return took;
}

const struct bench_case wait_cases[] = {
    {"epoll_1", epoll_1, 1000}, {"epoll_100", epoll_100, 1000}, {"epoll_pingpong_100", epoll_ping_pong_100, 300},
    {"poll_1", poll_1, 1000}, {"poll_100", poll_100, 300}, {"select_100", select_100, 300}, {0},
};
