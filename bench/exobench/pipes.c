/* Two processes and what goes between them: pipes, and sockets of AF_UNIX and of the loopback. */
#define _GNU_SOURCE
#include "bench.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[65536];

/* Makes what two processes speak through: two descriptors each, to read from and to write to. */
typedef void make_ends(int near[2], int far[2]);

static void two_descriptors(int ends[2], int socket)
{
    ends[0] = socket;
    ends[1] = (int)must(dup(socket), "dup");
}

static void pipe_ends(int near[2], int far[2])
{
    int there[2], back[2];
    must(pipe(there), "pipe");
    must(pipe(back), "pipe");
    near[0] = back[0], near[1] = there[1];
    far[0] = there[0], far[1] = back[1];
}

static void socket_ends(int near[2], int far[2])
{
    int end[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, end), "socketpair");
    two_descriptors(near, end[0]);
    two_descriptors(far, end[1]);
}

static struct sockaddr_in own_address(int socket)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    must(getsockname(socket, (struct sockaddr *)&address, &size), "getsockname");
    return address;
}

/* A socket bound to some port of the loopback. */
static int loopback_socket(int type)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int socket_ = (int)must(socket(AF_INET, type, 0), "socket");
    must(bind(socket_, (const struct sockaddr *)&any, sizeof any), "bind");
    return socket_;
}

static void tcp_ends(int near[2], int far[2])
{
    int listener = loopback_socket(SOCK_STREAM), one = 1;
    const struct sockaddr_in address = own_address(listener);
    must(listen(listener, 1), "listen");
    two_descriptors(near, (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket"));
    must(connect(near[0], (const struct sockaddr *)&address, sizeof address), "connect");
    two_descriptors(far, (int)must(accept(listener, NULL, NULL), "accept"));
    must(setsockopt(near[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "setsockopt");
    must(setsockopt(far[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "setsockopt");
    close(listener);
}

static void udp_ends(int near[2], int far[2])
{
    two_descriptors(near, loopback_socket(SOCK_DGRAM));
    two_descriptors(far, loopback_socket(SOCK_DGRAM));
    const struct sockaddr_in here = own_address(near[0]), there = own_address(far[0]);
    must(connect(near[0], (const struct sockaddr *)&there, sizeof there), "connect");
    must(connect(far[0], (const struct sockaddr *)&here, sizeof here), "connect");
}

static void close_ends(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* Sends back every byte until its input ends. */
static void echo(const int ends[2])
{
    char byte;
    while (read(ends[0], &byte, 1) == 1)
        if (write(ends[1], &byte, 1) != 1)
            fail("echo");
}

/* A byte there and a byte back, between two processes. */
static uint64_t ping_pong(make_ends *make, long n)
{
    int near[2], far[2];
    make(near, far);
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0) {
        close_ends(near);
        echo(far);
        _exit(0);
    }
    close_ends(far);
    char byte = 'p';
    uint64_t took = TIMED(n, {
        if (write(near[1], &byte, 1) != 1 || read(near[0], &byte, 1) != 1)
            fail("ping_pong");
    });
    must(write(near[1], &byte, 0), "write"); /* a datagram of nothing is an end, too */
    close_ends(near);
    must(waitpid(child, NULL, 0), "waitpid");
    return took;
}

static uint64_t pipe_ping_pong(long n)
{
    return ping_pong(pipe_ends, n);
}

static uint64_t unix_ping_pong(long n)
{
    return ping_pong(socket_ends, n);
}

static uint64_t tcp_ping_pong(long n)
{
    return ping_pong(tcp_ends, n);
}

static uint64_t udp_ping_pong(long n)
{
    return ping_pong(udp_ends, n);
}

#define RING_MOST 8

/* One operation is a byte that goes once round a ring of `count` processes, this one among them. */
static uint64_t token(int count, long n)
{
    int in[RING_MOST], out[RING_MOST]; /* process i reads from in[i] and writes to out[i] */
    for (int i = 0; i < count; i++) {
        int end[2];
        must(pipe(end), "pipe");
        out[i] = end[1];
        in[(i + 1) % count] = end[0];
    }
    pid_t child[RING_MOST];
    for (int i = 1; i < count; i++) {
        child[i] = (pid_t)must(fork(), "fork");
        if (child[i] == 0) {
            const int mine[2] = {in[i], out[i]};
            for (int k = 0; k < count; k++)
                if (k != i)
                    close(in[k]), close(out[k]);
            echo(mine);
            _exit(0);
        }
    }
    for (int i = 1; i < count; i++)
        close(in[i]), close(out[i]);
    char byte = 't';
    uint64_t took = TIMED(n, {
        if (write(out[0], &byte, 1) != 1 || read(in[0], &byte, 1) != 1)
            fail("token");
    });
    close(out[0]); /* each ends when the one before it has; the last one's writing needs somebody who reads */
    for (int i = 1; i < count; i++)
        must(waitpid(child[i], NULL, 0), "waitpid");
    close(in[0]);
    return took;
}

static uint64_t token_2(long n)
{
    return token(2, n);
}

static uint64_t token_8(long n)
{
    return token(8, n);
}

/* One operation is 64 KiB from one process to another: the time until the reader has it all. */
static uint64_t bandwidth(make_ends *make, long n)
{
    int near[2], far[2];
    make(near, far);
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0) {
        close_ends(near);
        for (size_t left = (size_t)n * sizeof block; left;)
            left -= (size_t)must(read(far[0], block, sizeof block), "read");
        must(write(far[1], "d", 1), "write");
        _exit(0);
    }
    close_ends(far);
    uint64_t start = ticks_now();
    for (long i = 0; i < n; i++)
        for (size_t sent = 0; sent < sizeof block;)
            sent += (size_t)must(write(near[1], block + sent, sizeof block - sent), "write");
    char byte;
    must(read(near[0], &byte, 1), "read");
    uint64_t took = ticks_now() - start;
    close_ends(near);
    must(waitpid(child, NULL, 0), "waitpid");
    return took;
}

static uint64_t pipe_bandwidth(long n)
{
    return bandwidth(pipe_ends, n);
}

static uint64_t unix_bandwidth(long n)
{
    return bandwidth(socket_ends, n);
}

static uint64_t tcp_bandwidth(long n)
{
    return bandwidth(tcp_ends, n);
}

/* A byte into a pipe and out again in one process. */
static uint64_t same_process(long n)
{
    int end[2];
    char byte = 'p';
    must(pipe(end), "pipe");
    uint64_t took = TIMED(n, {
        if (write(end[1], &byte, 1) != 1 || read(end[0], &byte, 1) != 1)
            fail("pipe_self");
    });
    close(end[0]);
    close(end[1]);
    return took;
}

const struct bench_case pipe_cases[] = {
    {"pipe_self", same_process, 1000},
    {"pipe_pingpong", pipe_ping_pong, 1000},
    {"unix_pingpong", unix_ping_pong, 1000},
    {"tcp_pingpong", tcp_ping_pong, 1000},
    {"udp_pingpong", udp_ping_pong, 1000},
    {"token_2", token_2, 1000},
    {"token_8", token_8, 300},
    {"pipe_bandwidth", pipe_bandwidth, 100},
    {"unix_bandwidth", unix_bandwidth, 100},
    {"tcp_bandwidth", tcp_bandwidth, 100},
    {0},
};
