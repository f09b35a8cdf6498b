/*
 * The timers of this process: the three interval timers, the limit of processor time, and those of timer_create. timer.c keeps
 * them and asks the kernel for the earliest deadline; posix_timer.c has the calls of timer_create. Private to entry/, libOS data.
 */
#ifndef PX_TIMER_H
#define PX_TIMER_H
#include "px.h"

#define PX_TIMER_LIMIT 3u /* RLIMIT_CPU; before it ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */
#define PX_TIMER_FD 4u    /* timerfds that this process sleeps on */
#define PX_TIMER_POSIX 5u /* from here: timer_create */
#define PX_TIMERS 37u

struct px_timer {
    bool made, running, processor; /* made: by timer_create; processor: counts processor time, else CLOCK_MONOTONIC */
    int32_t notify, signo, thread; /* thread: whom SIGEV_THREAD_ID tells */
    int32_t of_thread;             /* processor: of this thread; 0: of the process */
    uint64_t value;
    uint64_t deadline_ns, interval_ns; /* of its own clock */
    uint32_t missed, overrun;          /* expiries since its signal began to wait; those that the last signal taken stood for */
};

extern struct px_timer px_timers[PX_TIMERS];

uint64_t px_timer_clock_ns(const struct px_timer *timer);
bool px_timer_has_clock(const struct px_timer *timer); /* false: it was of a thread that has ended */
uint64_t px_timer_remaining(const struct px_timer *timer); /* 0: it does not run */
void px_timer_start(struct px_timer *timer, uint64_t deadline_ns, uint64_t interval_ns);
void px_timer_stop(struct px_timer *timer);
/* This thread ends. True: the kernel's timer was its own, and another thread must look. */
bool px_timer_leave(void);
/* Somebody sleeps on a timerfd with this deadline (timer.c); those that are due tell their sleepers, and the next of the others is answered
 * (fd/timerfd.c). */
void px_timerfd_watch(uint64_t deadline_ns);
uint64_t px_timerfd_expire(uint64_t now_ns);
/* A timer of timer_create has expired 1 + missed times. */
void px_posix_timer_fire(struct px_timer *timer, uint64_t missed);

#endif
