/* Two threads of a process, and making and ending threads. */
#define _GNU_SOURCE
#include "bench.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WAIT_PRIVATE 128
#define WAKE_PRIVATE 129

static atomic_int turn; /* 1: the other one's; -1: it is over */

static void pass_turn(int to)
{
    atomic_store(&turn, to);
    syscall(SYS_futex, &turn, WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Until the turn is not `whose`: what it is then. */
static int wait_turn(int whose)
{
    int now;

    while ((now = atomic_load(&turn)) == whose)
        syscall(SYS_futex, &turn, WAIT_PRIVATE, whose, NULL, NULL, 0);
    return now;
}

static void *echo_turn(void *argument)
{
    while (wait_turn(0) == 1)
        pass_turn(0);
    return argument;
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, argument) != 0)
        fail("pthread_create");
    return thread;
}

/* One wakes the other and sleeps until it is woken by it: two wakes, two sleeps. */
static uint64_t futex_ping_pong(long n)
{
    pthread_t other;

    atomic_store(&turn, 0);
    other = start(echo_turn, NULL);
    uint64_t took = TIMED(n, {
        pass_turn(1);
        wait_turn(1);
    });
    pass_turn(-1);
    pthread_join(other, NULL);
    return took;
}

struct ends {
    int to_thread[2], from_thread[2];
};

static void *echo_byte(void *argument)
{
    struct ends *ends = argument;
    char byte;

    while (read(ends->to_thread[0], &byte, 1) == 1)
        if (write(ends->from_thread[1], &byte, 1) != 1)
            fail("echo_byte");
    return NULL;
}

static uint64_t pipe_ping_pong(long n)
{
    struct ends ends;
    pthread_t other;
    char byte = 'p';

    must(pipe(ends.to_thread), "pipe");
    must(pipe(ends.from_thread), "pipe");
    other = start(echo_byte, &ends);
    uint64_t took = TIMED(n, {
        if (write(ends.to_thread[1], &byte, 1) != 1 || read(ends.from_thread[0], &byte, 1) != 1)
            fail("pipe_pingpong_threads");
    });
    close(ends.to_thread[1]);
    pthread_join(other, NULL);
    close(ends.to_thread[0]);
    close(ends.from_thread[0]);
    close(ends.from_thread[1]);
    return took;
}

static void *nothing(void *argument)
{
    return argument;
}

static uint64_t create_join(long n)
{
    return TIMED(n, pthread_join(start(nothing, NULL), NULL));
}

const struct bench_case thread_cases[] = {
    {"futex_pingpong_threads", futex_ping_pong, 1000},
    {"pipe_pingpong_threads", pipe_ping_pong, 1000},
    {"thread_create_join", create_join, 100},
    {0},
};
