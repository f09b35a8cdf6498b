/*
 * Policies for which weights mean nothing: round robin, a quantum each, in a ring, as a yardstick; and DAG, for tasks that wait for others (task.c),
 * each of which runs until it sleeps or is done, in the order in which they became ready.
 */
#include <exo/abi.h>

#include "policy.h"

static void start(struct chooser *chooser, void *memory)
{
    (void)memory;
    list_init(&chooser->ring);
}

static void insert(struct chooser *chooser, struct entity *entity)
{
    list_append(&chooser->ring, &entity->turn.link);
}

static void remove(struct chooser *chooser, struct entity *entity)
{
    (void)chooser;
    list_remove(&entity->turn.link);
}

static struct entity *first(struct chooser *chooser)
{
    return list_empty(&chooser->ring) ? NULL : LIST_ENTRY(chooser->ring.next, struct entity, turn.link);
}

static void charge(struct chooser *chooser, struct entity *entity, uint64_t cycles)
{
    policy_turn(&chooser->ring, entity, cycles);
}

/* In the order in which they came. */
static bool never(const struct chooser *chooser, const struct entity *first, const struct entity *second)
{
    (void)chooser;
    (void)first;
    (void)second;
    return false;
}

const struct policy round_robin_policy = {
    "rr", EXO_POLICY_ROUND_ROBIN, 0, UINT32_MAX, false, false, start, insert, remove, first, charge, never, never,
};

static void go_on(struct chooser *chooser, struct entity *entity, uint64_t cycles)
{
    (void)chooser;
    (void)entity;
    (void)cycles;
}

const struct policy dag_policy = {
    "dag", EXO_POLICY_DAG, 0, UINT32_MAX, true, false, start, insert, remove, first, go_on, never, never,
};
