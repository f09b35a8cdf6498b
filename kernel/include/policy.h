/*
 * What a scheduling policy is. sched.c has the mechanism: who runs now, slices, direct switches, idling, and the books of time and gas; a policy only
 * says which of the ready contexts is next. sched.c calls it with contexts that are READY, in no list (`link` is the policy's while it has them)
 * and not the current one. All work is bounded, however many contexts, zones and slices there are.
 */
#ifndef POLICY_H
#define POLICY_H
#include "kernel.h"

struct sched_policy {
    const char *name;
    /* Takes a context that has become ready (`first`: before others of its share, somebody waits for it), or whose slice is over. */
    void (*enqueue)(struct context *context, bool first);
    /* Gives up one that it has; it stops, or its account or share changes. */
    void (*dequeue)(struct context *context);
    /* Gives up the one that shall run next; NULL: has none. */
    struct context *(*pick)(void);
    /* Somebody waits for both, or both wait for somebody: is the first to be served first? */
    bool (*before)(const struct context *first, const struct context *second);
    /* So much of the processor was used on this share. */
    void (*charge)(struct share *share, uint64_t cycles);
};

/* For policies: the current context's slice is over now; and how long one is. */
void sched_preempt(void);
extern uint64_t sched_slice_cycles;

extern const struct sched_policy fair_policy; /* sched/fair.c */

#endif
