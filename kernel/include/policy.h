/*
 * What a scheduling policy is: which of a chooser's entities is next (share.h). sched/share.c has the queues and the tree, sched/sched.c says who
 * runs now; both are mechanism. A policy is one file below sched/ that knows nothing else of the kernel, so tests/sim/ runs the same files on the
 * host. Integers only. All work is bounded, however many entities there are.
 */
#ifndef POLICY_H
#define POLICY_H
#include "share.h"

struct policy {
    const char *name;
    unsigned number; /* EXO_POLICY_* */
    uint64_t bytes;  /* memory for each chooser, beside itself; 0: none */
    uint32_t most;   /* entities of a chooser */
    bool tasks;      /* those may wait for each other (sched/task.c), */
    bool reserves;   /* or have reservations (sched/reserve.c) */
    /* An empty chooser begins; `memory`: so many zeroed bytes. */
    void (*start)(struct chooser *chooser, void *memory);
    /* Somebody below the entity has become ready; nobody is any more. */
    void (*insert)(struct chooser *chooser, struct entity *entity);
    void (*remove)(struct chooser *chooser, struct entity *entity);
    /* Who runs next, and stays; NULL only when there is none. */
    struct entity *(*first)(struct chooser *chooser);
    /* So much of the processor was used on the entity, which may have been removed meanwhile. */
    void (*charge)(struct chooser *chooser, struct entity *entity, uint64_t cycles);
    /* Both wait for somebody: is the first to be served first? */
    bool (*before)(const struct chooser *chooser, const struct entity *first, const struct entity *second);
    /* This one has become ready: shall it run at once, instead of that one? */
    bool (*preempts)(const struct chooser *chooser, const struct entity *entity, const struct entity *running);
};

/* For policies. */
extern uint64_t sched_slice_cycles; /* a quantum */

/* Of entities that take turns in a ring, a quantum each: this one goes to its end when it has had one. */
static inline void policy_turn(struct list *ring, struct entity *entity, uint64_t cycles)
{
    entity->turn.spent += cycles;
    if (entity->turn.spent < sched_slice_cycles)
        return;
    entity->turn.spent = 0;
    if (!entity->linked)
        return;
    list_remove(&entity->turn.link);
    list_append(ring, &entity->turn.link);
}
uint64_t sched_clock(void);         /* cycles */
void entity_stop(struct entity *entity, uint64_t until); /* its budget is used up: removes it, and inserts it again at that time, with a new one */

extern const struct policy stride_policy, round_robin_policy, beatty_policy, rt_policy, dag_policy, hybrid_policy;

#endif
