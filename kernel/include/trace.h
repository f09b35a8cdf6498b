/*
 * Trace points. What a CPU does is recorded in the block of frames of who holds a trace (k_trace_bind, dev/trace.c); elsewhere a trace point is a load, a
 * comparison and a jump that is not taken, and the fast paths have none: a CPU that is traced enters by another way (entry.S, syscall_entry_traced).
 */
#ifndef TRACE_H
#define TRACE_H
#include "kernel.h"

struct trace {
    struct object object;
    struct block *block; /* held */
    struct exo_trace_header *header;
    struct exo_trace_record *records;
    uint64_t capacity, next, written; /* next: where the next record goes */
    uint64_t sample_ns;
    struct timer timer;
    unsigned cpu;
    bool runs;
};

/* Where this CPU records; NULL: nowhere. */
extern PER_CPU(struct trace *) trace_to;

/* `context`: whom it is about, or NULL. With the lock, as all below. */
void trace_write(unsigned kind, unsigned detail, const struct context *context, uint64_t a, uint64_t b);

/* As trace_write; where nothing is recorded, the arguments are not even reckoned. */
#define TRACE(...)                                                                                                     \
    do {                                                                                                               \
        if (__builtin_expect(trace_to != NULL, false))                                                                 \
            trace_write(__VA_ARGS__);                                                                                  \
    } while (0)

/* The timer's interrupt before `instruction`: true if a sample was due, so many ns ago. */
bool trace_sample_due(uint64_t *late_ns);
void trace_timer(struct timer *timer); /* not armed: the next sample */
#define TRACE_STACK_MOST 30u
void trace_free(struct object *object);

#endif
