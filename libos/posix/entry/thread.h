/*
 * Threads of a process (docs/decisions/0019-threads.md). One lock is around the libOS as soon as there are several threads: all of its data belongs to
 * whoever holds it. It is given back while a thread sleeps. What is a thread's own lies in its context page, whose other half the kernel writes.
 * Private to entry/, arch/ and the futexes.
 */
#ifndef PX_THREAD_H
#define PX_THREAD_H
#include <exo/wait.h>

#include "px.h"
#include "px_page.h"
#include "proto/proc.h"

struct px_altstack { /* stack_t */
    uint64_t base;
    int32_t flags, pad;
    uint64_t bytes;
};

#define CLOCK_THREAD_CPUTIME_ID 3
/* A negative clock number: ~id << 3 | whether a thread's << 2 | which of its clocks; 3 is none of the processor. */
#define PX_CLOCK_IS_THREADS(clock) (((clock) & 4) != 0)
#define PX_CLOCK_WHICH(clock) ((clock) & 3)
#define PX_CLOCK_NO_PROCESSOR 3

#define PX_THREAD_QUEUE 32u /* signals that wait for one thread */

/* What a forked child goes on with. */
struct px_thread_kept {
    uint64_t blocked;    /* what the program blocks; while mask_saved, for this call only */
    uint64_t saved_mask; /* the mask to come back to */
    bool mask_saved;
    struct px_altstack altstack;
    uint64_t tls;
};

struct px_thread {
    struct exo_regs *regs;  /* the program's registers, at the top of this thread's libOS stack (entry.S: PX_THREAD_REGS) */
    uint32_t exit_work;     /* not 0: the fast way out of a call does not do (entry.S: PX_THREAD_WORK) */
    uint32_t wake;          /* sleeps on this while 0: in a futex's queue, and when the thread has ended */
    uint64_t site_stack;    /* the program's stack pointer in a call from a rewritten instruction (entry.S: PX_THREAD_STACK) */
    uint32_t events;        /* taken from the context page and not looked at yet */
    int32_t tid;
    uint16_t number;        /* 0: the process's first thread */
    uint16_t turn;          /* how often there has been a thread of this number: part of the tid */
    bool live;              /* a thread of the program: neither ended nor waiting to be one */
    bool locked;            /* holds the lock */
    bool doomed;            /* shall end: another one executes a program */
    bool used;              /* FPU and thread pointer are not those that its context was made with */
    bool succeeded;         /* has executed a program, as which the first thread goes on */
    bool no_restart;        /* the present call must not be restarted */
    bool stop_passed;       /* its tracer has let it go on although the process is stopped */
    bool helper;            /* no thread of the program (step.c) */
    bool steps;             /* the helper shall set it going */
    struct px_tracee *trace; /* NULL: nobody traces it (trace.h) */
    struct px_thread_kept kept;
    uint64_t context;       /* handle */
    px_user clear_tid, robust_list;
    struct px_thread_fault { uint64_t error, trapno, address; } fault; /* the last one, for signal frames */
    struct { uint64_t deadline_ns; px_user rest; } restart; /* of a sleep that goes on: restart_syscall */
    struct { /* in a futex's queue */
        px_user va;
        uint32_t bits;
        struct px_thread *next;
        px_user to; /* bits 0: the lock that it wants to be moved to (WAIT_REQUEUE_PI); 0: it has been, or waits for the lock itself */
    } futex;
    struct px_thread *parked; /* the next of those that have ended */
    uint64_t ran_before_ns;   /* by its context, for others */
    struct { /* descriptions that the present call uses: they stay, even if another thread closes them (fd/hold.c) */
        struct px_ofd *ofd, *second;
        const struct px_poll_item *items;
        unsigned count;
    } hold;
    struct px_cred_ids ids; /* that it goes by, while there are several threads: what ids are set to depends on them */
    char name[16];     /* of the first one proc tells */
    uint64_t pending; /* signals for this thread alone */
    unsigned queued;
    struct px_siginfo queue[PX_THREAD_QUEUE];
};
_Static_assert(sizeof(struct px_thread) <= sizeof(((struct exo_upage *)0)->rest), "a thread fits its context page");

static inline struct px_thread *px_thread(void)
{
    return (struct px_thread *)px_upage()->rest;
}
static inline struct exo_upage *px_thread_page(const struct px_thread *thread)
{
    return (struct exo_upage *)((uint64_t)thread & ~(PX_PAGE - 1));
}

/* `many`: there are, or have just been, several threads: the lock must be taken. Changes only while there is one. */
extern struct px_threads {
    bool many;
    bool stopped;        /* by a job-control signal, while cont_seq is stop_seq */
    uint32_t stop_seq;
    int stop_signal;
    unsigned live, made; /* threads of the program; numbers ever used */
    int leader_status;   /* of the first thread's end */
    struct px_thread *parked;
    struct px_thread *sole; /* the others must end: it executes a program */
} px_threads;

/* Not 0: calls take px_dispatch_slow (entry.S). */
extern uint32_t px_entry_slow;
#define PX_SLOW_STRACE 1u
#define PX_SLOW_THREADS 2u
#define PX_SLOW_HOT 4u /* an instruction has trapped many times */
#define PX_SLOW_LENT 8u /* a vfork child runs here (lend.c) */
#define PX_SLOW_COUNT 16u /* px_calls_left counts */
/* For tests: after so many more calls the process ends, as SIGKILL would end it; its children count on from there. */
extern uint64_t px_calls_left;

struct px_cred_ids px_process_ids(void); /* the process's (ids.c) */

#define PX_EVENT_THREAD 8u /* that threads post to each other: look at what has changed */

/*
 * The lock: taken by whoever enters the libOS and has it not, if there are several threads. Its word lies in the first thread's context page, which is never
 * copied on write: sleepers are found by the frame. 0: free; 1: held; 2: held, and somebody may sleep.
 */
static inline uint32_t *px_lock_word(void)
{
    return (uint32_t *)&((struct exo_upage *)PX_UPAGE)->libos[0];
}
void px_lock_slowly(struct px_thread *thread);
void px_unlock_slowly(void);
static inline void px_lock_take_own(struct px_thread *thread)
{
    uint32_t open = 0;

    if (__builtin_expect(!__atomic_compare_exchange_n(px_lock_word(), &open, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED), false))
        px_lock_slowly(thread);
    thread->locked = true;
}
static inline void px_lock(void)
{
    struct px_thread *thread = px_thread();

    if (px_threads.many && !thread->locked)
        px_lock_take_own(thread);
}
static inline void px_unlock(void)
{
    struct px_thread *thread = px_thread();

    if (!thread->locked)
        return;
    thread->locked = false;
    if (__builtin_expect(__atomic_exchange_n(px_lock_word(), 0, __ATOMIC_RELEASE) == 2, false))
        px_unlock_slowly();
}
/* exo_wait without the lock. */
static inline int64_t px_sleep(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns)
{
    struct px_thread *thread = px_thread();
    int64_t result;

    if (!thread->locked)
        return exo_wait_for(predicates, count, deadline_ns);
    if (thread->events) /* that came while it waited for the lock: nobody posts them again */
        return -EXO_E_EVENT;
    px_unlock();
    result = exo_wait_for(predicates, count, deadline_ns);
    px_lock_take_own(thread);
    return result;
}

/* The first thread's page is new: in the first process, and in a child, which goes on with what the forking thread had. */
void px_thread_start(const struct px_thread_kept *kept);
/* May there be a thread of this tid, in whatever process? Of another's threads only the process is known. */
bool px_tid_lives(int32_t tid);
/* The thread with this number or tid, or NULL. */
struct px_thread *px_thread_number(unsigned number);
struct px_thread *px_thread_find(int32_t tid);
/* Processor time that it has used. */
uint64_t px_thread_cpu_ns(const struct px_thread *thread);
/* The thread, of this process, whose processor clock this number names; NULL: it names no thread's. */
struct px_thread *px_thread_of_clock(int clock);
int64_t px_thread_make(uint64_t flags, uint64_t stack, px_user parent_tid, px_user child_tid, uint64_t tls);
/* A context of the libOS's own, which runs px_step_serve; NULL. */
struct px_thread *px_thread_make_helper(void);
/* Where a new thread begins (entry.S: px_thread_entry), with its registers. */
void px_thread_begin(struct exo_regs *regs);
/* This thread's end. */
_Noreturn void px_thread_end(int status);
/* execve: ends all others. -EAGAIN: somebody else does that, and this thread must end. */
int64_t px_thread_end_others(void);
/* After execve: the first thread goes on with this one's registers, and this one ends. */
_Noreturn void px_thread_succeed(void);
/* The first thread is the only one again, and needs no lock. */
void px_thread_alone(void);
/* What a stop, or another thread's execve, asks of this one. True: it shall end. */
bool px_thread_attend_now(void);
static inline bool px_thread_stays(const struct px_thread *thread)
{
    return px_threads.stopped && !thread->stop_passed;
}
static inline bool px_thread_attend(void)
{
    return __builtin_expect(px_threads.stopped || px_thread()->doomed, false) && px_thread_attend_now();
}
/* Posts an event to a thread. */
void px_thread_poke(const struct px_thread *thread, uint32_t bits);
/* A job-control signal stops all threads until cont_seq is no longer `seq`; this one, too. */
void px_thread_stop(uint32_t seq, int signo);
/* robust.c: what a thread's end does with its robust futexes and its tid's word. */
void px_thread_release(struct px_thread *thread);
/* The end of all: every thread's. */
void px_threads_release(void);

/* fd/hold.c: the present call, which begins with a descriptor, uses what it names, and perhaps a second one. */
void px_hold(struct px_thread *thread, const char *format, uint64_t fd, uint64_t second);
void px_hold_end(struct px_thread *thread);

/* Wakes up to `most` threads that wait on the word, which may have been the program's thread id. */
int64_t px_futex_wake(px_user va, uint32_t most);
/* The owner of this lock (FUTEX_LOCK_PI) died with it, as the word says: the next one gets it. */
void px_futex_owner_died(px_user va);

#endif
