/* Two processes and what goes between them. */
#define _GNU_SOURCE
#include "bench.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[65536];

/* A child that sends back every byte until its input ends. */
static pid_t echo_child(int to_child[2], int from_child[2])
{
    must(pipe(to_child), "pipe");
    must(pipe(from_child), "pipe");
    pid_t child = (pid_t)must(fork(), "fork");
    if (child == 0) {
        char byte;
        close(to_child[1]);
        close(from_child[0]);
        while (read(to_child[0], &byte, 1) == 1)
            if (write(from_child[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(to_child[0]);
    close(from_child[1]);
    return child;
}

/* A byte there and a byte back. */
static uint64_t ping_pong(long n)
{
    int to_child[2], from_child[2];
    pid_t child = echo_child(to_child, from_child);
    char byte = 'p';
    uint64_t took = TIMED(n, {
        if (write(to_child[1], &byte, 1) != 1 || read(from_child[0], &byte, 1) != 1)
            fail("ping_pong");
    });
    close(to_child[1]);
    close(from_child[0]);
    must(waitpid(child, NULL, 0), "waitpid");
    return took;
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
    {"pipe_pingpong", ping_pong, 1000},
    {"pipe_bandwidth", bandwidth, 100},
    {0},
};
