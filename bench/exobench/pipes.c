/* Two processes and what goes between them. */
#define _GNU_SOURCE
#include "bench.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[65536];

/* Makes what two processes speak through: two descriptors each, to read from and to write to. */
typedef void make_ends(int near[2], int far[2]);

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
    near[0] = end[0], near[1] = (int)must(dup(end[0]), "dup");
    far[0] = end[1], far[1] = (int)must(dup(end[1]), "dup");
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
static uint64_t bandwidth(long n)
{
    int data[2], done[2];
    must(pipe(data), "pipe");
    must(pipe(done), "pipe");
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0) {
        close(data[1]);
        while (read(data[0], block, sizeof block) > 0)
            ;
        must(write(done[1], "d", 1), "write");
        _exit(0);
    }
    close(data[0]);
    close(done[1]);
    uint64_t start = ticks_now();
    for (long i = 0; i < n; i++)
        for (size_t sent = 0; sent < sizeof block;)
            sent += (size_t)must(write(data[1], block + sent, sizeof block - sent), "write");
    close(data[1]);
    char byte;
    must(read(done[0], &byte, 1), "read");
    uint64_t took = ticks_now() - start;
    close(done[0]);
    must(waitpid(child, NULL, 0), "waitpid");
    return took;
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
    {"token_2", token_2, 1000},
    {"token_8", token_8, 300},
    {"pipe_bandwidth", bandwidth, 100},
    {0},
};
