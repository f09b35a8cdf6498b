/*
 * libexo's channels on this machine: instead of the kernel, one that knows words to sleep on. A sleeper sleeps until somebody wakes it on one of its words,
 * so a wake that is lost is noticed: after `fake_patience_s` the test ends with a word about it. A test includes this first, and then libexo/channel.c
 * and loop.c.
 */
#ifndef RING_FAKE_H
#define RING_FAKE_H
#define EXO_ARCH_TRAP_H
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <exo/abi.h>

struct fake_sleeper {
    const struct exo_predicate *predicates;
    uint64_t count;
    bool woken;
    struct fake_sleeper *next;
};

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_news = PTHREAD_COND_INITIALIZER;
static struct fake_sleeper *fake_sleepers;
static unsigned fake_sleeps, fake_wakes; /* how many calls were made: guarded by the lock */
static unsigned fake_patience_s = 30;

static inline int64_t fake_changed(const struct exo_predicate *predicates, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (__atomic_load_n((const uint32_t *)predicates[i].va, __ATOMIC_SEQ_CST) != predicates[i].value)
            return (int64_t)i;
    return -EXO_E_AGAIN;
}

/* Deadlines are far or now: nothing depends on how fast this machine is. */
static inline int64_t fake_wait(const struct exo_predicate *predicates, uint64_t count, uint64_t deadline_ns)
{
    struct fake_sleeper self = {predicates, count, false, NULL}, **at;
    struct timespec until;
    int64_t status;

    pthread_mutex_lock(&fake_lock);
    fake_sleeps++;
    status = fake_changed(predicates, count);
    if (status == -EXO_E_AGAIN && deadline_ns == EXO_DEADLINE_NOW)
        status = -EXO_E_TIMEOUT;
    if (status == -EXO_E_AGAIN) {
        self.next = fake_sleepers;
        fake_sleepers = &self;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += fake_patience_s;
        while (!self.woken)
            if (pthread_cond_timedwait(&fake_news, &fake_lock, &until) == ETIMEDOUT) {
                fprintf(stderr, "a sleeper was never woken\n");
                abort();
            }
        for (at = &fake_sleepers; *at != &self; at = &(*at)->next)
            ;
        *at = self.next;
        status = 0;
    }
    pthread_mutex_unlock(&fake_lock);
    return status;
}

static inline int64_t fake_wake(uint64_t word)
{
    pthread_mutex_lock(&fake_lock);
    fake_wakes++;
    for (struct fake_sleeper *sleeper = fake_sleepers; sleeper; sleeper = sleeper->next)
        for (uint64_t i = 0; i < sleeper->count; i++)
            sleeper->woken |= sleeper->predicates[i].va == word;
    pthread_cond_broadcast(&fake_news);
    pthread_mutex_unlock(&fake_lock);
    return 1;
}

static inline int64_t fake_kernel(uint64_t call, uint64_t a, uint64_t b, uint64_t c)
{
    if (call == EXO_CALL_BATCH) {
        for (uint64_t i = 0; i < b; i++) {
            struct exo_batch_op *op = (struct exo_batch_op *)a + i;

            op->result = fake_kernel(op->call + EXO_CALL_BASE, op->argument[0], op->argument[1], op->argument[2]);
        }
        return (int64_t)b;
    }
    if (call == EXO_CALL_WAIT)
        return fake_wait((const struct exo_predicate *)a, b, c);
    return call == EXO_CALL_WAKE ? fake_wake(a) : -EXO_E_BADCALL;
}

static inline int64_t exo_trap0(uint64_t call) { return fake_kernel(call, 0, 0, 0); }
static inline int64_t exo_trap1(uint64_t call, uint64_t a) { return fake_kernel(call, a, 0, 0); }
static inline int64_t exo_trap2(uint64_t call, uint64_t a, uint64_t b) { return fake_kernel(call, a, b, 0); }
static inline int64_t exo_trap3(uint64_t call, uint64_t a, uint64_t b, uint64_t c) { return fake_kernel(call, a, b, c); }
static inline int64_t exo_trap4(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d) { return (void)d, fake_kernel(call, a, b, c); }
static inline int64_t exo_trap5(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    return (void)d, (void)e, fake_kernel(call, a, b, c);
}
static inline int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    return (void)d, (void)e, (void)f, fake_kernel(call, a, b, c);
}
#endif
