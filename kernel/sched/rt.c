/*
 * RT: earliest deadline first among entities with a reservation, each a constant bandwidth server with a hard limit (Abeni and Buttazzo, 1998): it has its
 * budget in each period and is stopped when that is used up, so whatever one does the others have theirs, if all promises together are at most the
 * processor. The others take turns in what is left.
 */
#include <exo/abi.h>

#include "policy.h"

static void start(struct chooser *chooser, void *memory)
{
    (void)memory;
    chooser->rt.earliest = NULL;
    list_init(&chooser->rt.rest);
}

/* What is left may be used until the deadline only as far as that is no more than its part of the time until then. */
static void begin_period(struct reservation *reserved)
{
    uint64_t now = sched_clock();
    int64_t rest = (int64_t)(reserved->deadline - now);

    if (rest > 0 && (reserved->left <= 0 || (unsigned __int128)reserved->left * reserved->period <= (unsigned __int128)rest * reserved->budget))
        return;
    reserved->deadline = now + reserved->period;
    reserved->left = (int64_t)reserved->budget;
}

static void insert(struct chooser *chooser, struct entity *entity)
{
    if (!entity->reserved) {
        list_append(&chooser->rt.rest, &entity->turn.link);
        return;
    }
    begin_period(entity->reserved);
    entity->node.key = entity->reserved->deadline;
    heap_insert(&chooser->rt.earliest, &entity->node);
}

static void remove(struct chooser *chooser, struct entity *entity)
{
    (void)chooser;
    if (entity->reserved)
        heap_remove(&entity->node);
    else
        list_remove(&entity->turn.link);
}

static struct entity *first(struct chooser *chooser)
{
    if (chooser->rt.earliest)
        return LIST_ENTRY(chooser->rt.earliest, struct entity, node);
    return list_empty(&chooser->rt.rest) ? NULL : LIST_ENTRY(chooser->rt.rest.next, struct entity, turn.link);
}

static void charge(struct chooser *chooser, struct entity *entity, uint64_t cycles)
{
    if (entity->reserved) {
        entity->reserved->left -= (int64_t)cycles;
        if (entity->reserved->left <= 0)
            entity_stop(entity, entity->reserved->deadline);
        return;
    }
    policy_turn(&chooser->rt.rest, entity, cycles);
}

static bool before(const struct chooser *chooser, const struct entity *first, const struct entity *second)
{
    (void)chooser;
    if (!first->reserved || !second->reserved)
        return first->reserved && !second->reserved;
    return (int64_t)(first->reserved->deadline - second->reserved->deadline) < 0;
}

const struct policy rt_policy = {
    "rt", EXO_POLICY_RT, 0, UINT32_MAX, false, true, start, insert, remove, first, charge, before, before,
};
