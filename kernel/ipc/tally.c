/*
 * Tallies: how many capabilities to an object exist, kept in a word that its users share. Because the kernel counts, the word is right even when a
 * holder is destroyed in the middle of something.
 */
#include "kernel.h"
#include "port.h"

void tally_changed(struct tally *tally, int change)
{
    uint32_t *word = (uint32_t *)direct(tally->physical);

    tally->count += (uint32_t)change;
    __atomic_store_n(word, tally->count, __ATOMIC_SEQ_CST);
    wait_wake_all(tally->physical);
}

void tally_free(struct object *object)
{
    struct tally *tally = (struct tally *)object;

    frame_drop(tally->physical & ~(PAGE - 1ul));
    object_free(object, sizeof(*tally));
}

int64_t k_tally_create(struct context *caller, uint64_t word)
{
    struct tally *tally;
    uint32_t *place;
    int64_t handle;

    if (word % sizeof(uint32_t))
        return -EXO_E_ALIGN;
    place = space_reach(caller->env, word, ACCESS_WRITE);
    if (!place)
        return -EXO_E_FAULT;
    tally = object_new(caller->env->zone, EXO_TYPE_TALLY, sizeof(*tally));
    if (!tally)
        return -EXO_E_NOMEM;
    tally->physical = direct_physical(place);
    frame_hold(tally->physical & ~(PAGE - 1ul));
    handle = cap_insert(caller->env, 0, &tally->object, EXO_RIGHT_COPY, 0);
    object_drop(&tally->object);
    return handle;
}
