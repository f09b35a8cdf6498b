/*
 * What the guest programs about threads have in common: futexes by hand, and starting and joining threads. Programs run on Linux as well, with musl and
 * with glibc.
 */
#ifndef THREAD_HELP_H
#define THREAD_HELP_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

/* musl has no header for these. */
enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI,
       FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET, FUTEX_CLOCK_REALTIME = 256 };
enum { FUTEX_PRIVATE = 128, FUTEX_WAIT_PRIVATE = FUTEX_WAIT | 128, FUTEX_WAKE_PRIVATE = FUTEX_WAKE | 128, FUTEX_REQUEUE_PRIVATE = FUTEX_REQUEUE | 128,
       FUTEX_CMP_REQUEUE_PRIVATE = FUTEX_CMP_REQUEUE | 128, FUTEX_WAKE_OP_PRIVATE = FUTEX_WAKE_OP | 128,
       FUTEX_WAIT_BITSET_PRIVATE = FUTEX_WAIT_BITSET | 128, FUTEX_WAKE_BITSET_PRIVATE = FUTEX_WAKE_BITSET | 128 };
enum { FUTEX_OP_SET, FUTEX_OP_ADD };
enum { FUTEX_OP_CMP_EQ };
#define FUTEX_OP(op, argument, cmp, than) ((unsigned)(op) << 28 | (unsigned)(cmp) << 24 | (unsigned)(argument) << 12 | (unsigned)(than))

static inline long futex(const void *word, int operation, unsigned value, const struct timespec *timeout, void *other, unsigned third)
{
    return syscall(SYS_futex, word, operation, value, timeout, other, third);
}

static inline long answer(long result)
{
    return result < 0 ? -errno : result;
}

static inline void short_sleep(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    nanosleep(&moment, NULL);
}

static inline pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, argument);

    if (error) {
        printf("Bail out! pthread_create: %s\n", strerror(error));
        exit(1);
    }
    return thread;
}

static inline long joined(pthread_t thread)
{
    void *result;

    return pthread_join(thread, &result) ? -1 : (long)result;
}

#endif
