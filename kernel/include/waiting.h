/*
 * Who sleeps on a word, found by its physical address, in line: for sched/wait.c, which owns this and says what it is, and for the fast paths.
 */
#ifndef WAITING_H
#define WAITING_H
#include "kernel.h"

#define WAIT_BUCKETS 256u
extern struct wait_node *wait_buckets[WAIT_BUCKETS];

/* Where the word's first sleeper is, or would be. */
static inline struct wait_node **wait_find(uint64_t physical)
{
    struct wait_node **place = &wait_buckets[(physical >> 2 ^ physical >> 12) % WAIT_BUCKETS];

    for (uint64_t path = physical >> 2; *place && (*place)->physical != physical; path >>= 1)
        place = &(*place)->child[path & 1];
    return place;
}

static inline void wait_put(struct wait_node **place, struct wait_node *node)
{
    *place = node;
    node->place = place;
}

static inline void wait_enter(struct wait_node *node)
{
    struct wait_node **place = wait_find(node->physical);

    lock_needed();
    if (__builtin_expect(*place != NULL, false)) {
        node->place = NULL;
        list_append(&(*place)->same, &node->same);
        return;
    }
    list_init(&node->same);
    node->child[0] = node->child[1] = NULL;
    wait_put(place, node);
}

/* A predicate's kind in 13 bits, which are not 0: how it compares, and which field: its first bit << 3, its bits less one << 8. */
static inline uint16_t wait_test(uint32_t kind)
{
    return (uint16_t)((kind & 7) | (kind >> 8 & 31) << 3 | ((kind >> 16 & 63 ? kind >> 16 & 63 : 32) - 1) << 8);
}

static inline uint32_t wait_field_mask(uint16_t test)
{
    return UINT32_MAX >> (31 - (test >> 8));
}

static inline bool wait_holds(uint16_t test, uint32_t word, uint32_t value)
{
    uint32_t mask = wait_field_mask(test), field = word >> (test >> 3 & 31) & mask;

    switch (test & 7) {
    case EXO_WAIT_IS: return field == value;
    case EXO_WAIT_IS_NOT: return field != value;
    case EXO_WAIT_BELOW: return field < value;
    case EXO_WAIT_FROM: return field >= value;
    default: return (field - value) >> (test >> 8) & 1; /* EXO_WAIT_BEHIND: the difference is negative */
    }
}

/* In the tree, with nobody behind it or below. */
static inline bool wait_alone(const struct wait_node *node)
{
    return node->place && !node->child[0] && !node->child[1] && list_empty(&node->same);
}

/* Nodes lie in their contexts, each of which is a page. */
static inline struct context *wait_context(const struct wait_node *node)
{
    return (struct context *)((uint64_t)node & ~(PAGE - 1ul));
}

#endif
