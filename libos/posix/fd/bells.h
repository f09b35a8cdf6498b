/*
 * Bells: watches of the kernel's (docs/objects/watch.md), for who waits for more than one sleep has room for. The words that they ring by lie in a page that a
 * fork does not copy, since the kernel goes on writing to the parent's.
 */
#ifndef PX_BELLS_H
#define PX_BELLS_H
#include "fd.h"

struct px_bell {
    uint64_t watch; /* the capability */
    uint32_t *bits; /* in PX_BELLS */
    uint32_t taken; /* places, a bit each */
    uint32_t tag[EXO_WATCH_PLACES]; /* what its user calls each */
};

struct px_bells {
    struct px_bell *bell;
    unsigned count, room;
    uint32_t *told; /* in PX_BELLS: changes when one of them rings; NULL: there are none */
    uint32_t heard; /* its value when they were last looked at */
    bool deaf;      /* there was no room for another */
};

/* A place that rings when one of these no longer holds and is woken; up to EXO_WATCH_WORDS. 1: it is in *place; 0: one does not hold; -1: there is no room. */
int px_bells_put(struct px_bells *bells, const struct exo_predicate *predicates, unsigned count, uint32_t *place);
void px_bells_take(struct px_bells *bells, uint32_t place); /* rings no more; it may have */
static inline uint32_t *px_bells_tag(const struct px_bells *bells, uint32_t place)
{
    return &bells->bell[place / EXO_WATCH_PLACES].tag[place % EXO_WATCH_PLACES];
}
bool px_bells_rang(struct px_bells *bells); /* one has, since this was last asked: px_bell_places says which */
uint32_t px_bell_places(struct px_bell *bell);
/* What a sleep waits for, to hear them; only with `told`. */
static inline struct exo_predicate px_bells_silence(const struct px_bells *bells)
{
    return (struct exo_predicate){(uint64_t)bells->told, bells->heard, EXO_WAIT_WORD};
}
void px_bells_go(struct px_bells *bells);
void px_bells_forked(void); /* the child has none; what describes them is to be forgotten */

#endif
