/*
 * Who sleeps on a word, found by its physical address, in line: for sched/wait.c, which owns this and says what it is, and for the fast paths.
 */
#ifndef WAITING_H
#define WAITING_H
#include "kernel.h"

#define WAIT_BUCKETS 256u
extern struct wait_node *wait_buckets[WAIT_BUCKETS];

/*
 * Places of watches stand in the same trees, in lines of their own, so that they never use up a wake that is meant for one sleeper: the lowest bit of
 * their address is set.
 */
#define WAIT_WATCHED 1u
extern unsigned wait_watched; /* nodes of watches in the trees: as a rule none, and then no wake looks for any */

/* sched/watch.c. What waits at many places; it is a page, as a context is. */
struct watch {
    struct object object;
    uint64_t bits, told; /* physical; their frames are held */
    uint32_t count;      /* ends of places so far */
    uint8_t used[EXO_WATCH_PLACES]; /* nodes of each place */
    struct wait_node nodes[EXO_WATCH_PLACES * EXO_WATCH_WORDS];
    uint32_t test_value[EXO_WATCH_PLACES * EXO_WATCH_WORDS]; /* as a context's */
    uint16_t test[EXO_WATCH_PLACES * EXO_WATCH_WORDS];
};
_Static_assert(sizeof(struct watch) <= PAGE, "a watch is a page");
_Static_assert(sizeof(struct watch) > 256, "object_new takes a frame for it");

void watch_end(struct wait_node *node); /* the wait of the node's place has ended: it is told */
void watch_free(struct object *object);

/* sched/wait.c, for watches. 1: the word's predicate holds, 0: it does not, or an error; where the word is. */
int64_t wait_check_word(struct context *caller, const struct exo_predicate *predicate, uint64_t *physical);
void wait_leave(struct wait_node *node);    /* its line, and the word's frame */
void wait_wake_later(uint64_t physical);    /* as wait_wake_all, but they only stand in line to be woken */

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

/* Nodes lie in their contexts, each of which is a page, */
static inline struct context *wait_context(const struct wait_node *node)
{
    return (struct context *)((uint64_t)node & ~(PAGE - 1ul));
}

/* or in watches. */
static inline struct watch *wait_watch(const struct wait_node *node)
{
    return (struct watch *)((uint64_t)node & ~(PAGE - 1ul));
}

static inline uint16_t wait_test_of(const struct exo_predicate *predicate)
{
    return predicate->kind < EXO_WAIT_IS ? 0 : wait_test(predicate->kind);
}

#endif
