/*
 * Stride scheduling (Waldspurger and Weihl, 1995): the entity that has had least time for its weight is next. A pass is processor time over weight; the
 * passes of those that are ready stand in a heap.
 */
#include <exo/abi.h>

#include "policy.h"

#define STRIDE_BITS 24                /* of a pass for each cycle of an entity of weight 1, */
#define FINE_BITS 12                  /* and below the point, so that weights near each other differ */
#define AHEAD_MAX (1ll << 52)         /* more than anybody can be ahead: a pass that is older than its last wrap */
#define PREEMPT_PART 2                /* of a quantum: by so much one must be ahead to be interrupted */

static struct entity *entity_at(struct heap_node *node)
{
    return LIST_ENTRY(node, struct entity, node);
}

static uint64_t pass_for(const struct entity *entity, uint64_t cycles)
{
    return (uint64_t)((unsigned __int128)cycles * ((1ull << (STRIDE_BITS + FINE_BITS)) / entity->weight) >> FINE_BITS);
}

static void start(struct chooser *chooser, void *memory)
{
    (void)memory;
    chooser->stride.least = NULL;
    chooser->stride.now = 0;
}

/* Who slept keeps a quantum's worth of what it did not use, no more, and pays nothing for a counter that wrapped meanwhile. */
static void insert(struct chooser *chooser, struct entity *entity)
{
    int64_t ahead = (int64_t)(entity->node.key - chooser->stride.now), credit = (int64_t)pass_for(entity, sched_slice_cycles);

    if (ahead < -credit || ahead > AHEAD_MAX)
        entity->node.key = chooser->stride.now - (uint64_t)credit;
    heap_insert(&chooser->stride.least, &entity->node);
}

static void remove(struct chooser *chooser, struct entity *entity)
{
    (void)chooser;
    heap_remove(&entity->node);
}

static struct entity *first(struct chooser *chooser)
{
    return chooser->stride.least ? entity_at(chooser->stride.least) : NULL;
}

static void charge(struct chooser *chooser, struct entity *entity, uint64_t cycles)
{
    uint64_t least;

    entity->node.key += pass_for(entity, cycles);
    heap_sink(&chooser->stride.least, &entity->node);
    least = chooser->stride.least ? chooser->stride.least->key : entity->node.key;
    if ((int64_t)(least - chooser->stride.now) > 0)
        chooser->stride.now = least;
}

static bool before(const struct chooser *chooser, const struct entity *first, const struct entity *second)
{
    (void)chooser;
    return (int64_t)(first->node.key - second->node.key) < 0;
}

/* If it has had clearly less: those who sleep often, because they wait for a server, would otherwise never come to their part. */
static bool preempts(const struct chooser *chooser, const struct entity *entity, const struct entity *running)
{
    (void)chooser;
    return (int64_t)(running->node.key - entity->node.key) > (int64_t)pass_for(running, sched_slice_cycles / PREEMPT_PART);
}

const struct policy stride_policy = {
    "stride", EXO_POLICY_STRIDE, 0, UINT32_MAX, false, false, start, insert, remove, first, charge, before, preempts,
};
