/*
 * Beatty: proportional share with low discrepancy. Of an entity with the part r of the processor the quantum number k may begin in slot floor(k/r) and must
 * be over at ceil((k+1)/r): two Beatty sequences, if r is irrational. Among those that may begin, the one whose time ends first is next. So nobody is ever
 * a quantum ahead of his part or a quantum behind it, and over any window nobody gets two quanta more or less than his part (docs/beatty.md has the
 * proof and what was measured).
 *
 * Time is virtual: a slot in which entities of the weights W are ready takes 1/W of it, a quantum of an entity of weight w takes 1/w. So who
 * comes and goes changes nothing for the others. UNIT is 1; what is below that is counted in whole parts of the weight, so nothing is ever rounded away.
 *
 * Who is next is found in tournaments of a fixed depth, with a leaf for each entity: a choice costs the same whether there are 2 or 2,000. Leaves are given
 * out by the golden ratio's phase, 2^32/phi in 32-bit fixed point; between equals the lower leaf wins, so newcomers neither come first nor last.
 */
#include <exo/abi.h>

#include "policy.h"

#define LEAVES_BITS 11
#define LEAVES (1u << LEAVES_BITS)
#define NONE LEAVES
#define UNIT (1ull << 56)
#define RANKS 0x3fffu /* weights are less */
#define FAR (1ull << 62)
#define PHASE 0x9E3779B9u
#define OPEN_MOST 4u /* windows that open at one decision; those that are left open at the next */
#define SOON_MOST 64u

/* DUE: the window is open, key is when it ends. The others: key is when it opens, SOON with more than a 64th of the processor, of which there are few. */
_Static_assert(EXO_ZONE_WEIGHT_MAX < RANKS, "each has a rank");

enum tree { DUE, SOON, LATER, TREES };

struct beatty {
    uint64_t now, part;        /* when this slot began: virtual time, and what is below it in 1/weights */
    uint64_t next;             /* when it ends */
    uint64_t spent;            /* of this slot, cycles */
    uint64_t weights;
    uint64_t key[LEAVES + 1];  /* of NONE: later than all */
    struct entity *entity[LEAVES];
    uint16_t best[TREES][2 * LEAVES]; /* who wins below: children of i are 2i and 2i + 1; the leaves come last */
    uint16_t free[LEAVES];     /* leaves, from `used` on free */
    uint32_t used;
};

static bool is_before(uint64_t first, uint64_t second)
{
    return (int64_t)(first - second) < 0;
}

/* Leaf by leaf of the way up: the earlier of two goes on. */
static void play(struct beatty *beatty, uint16_t *best, unsigned leaf, unsigned who)
{
    const uint64_t *key = beatty->key;
    unsigned at = LEAVES + leaf;

    best[at] = (uint16_t)who;
    for (unsigned level = 0; level < LEAVES_BITS; level++) {
        unsigned left = best[at & ~1u], right = best[at | 1];

        at >>= 1;
        best[at] = (uint16_t)(is_before(key[right], key[left]) ? right : left);
    }
}

static void leave_tree(struct beatty *beatty, struct entity *entity)
{
    play(beatty, beatty->best[entity->window.tree], entity->leaf, NONE);
}

static void enter_tree(struct beatty *beatty, struct entity *entity, enum tree tree, uint64_t key)
{
    entity->window.tree = (uint8_t)tree;
    beatty->key[entity->leaf] = key;
    play(beatty, beatty->best[tree], entity->leaf, entity->leaf);
}

static uint64_t end_of(const struct entity *entity)
{
    return entity->window.start + (UNIT + entity->window.part) / entity->weight;
}

/* When it may begin: of those that may at the same time the shortest comes first. Beginnings of others lie much further apart than that. */
static uint64_t opening_of(const struct entity *entity)
{
    return (entity->window.start & ~(uint64_t)RANKS) | (RANKS - entity->weight);
}

static bool is_open(const struct beatty *beatty, const struct entity *entity)
{
    return is_before(entity->window.start, beatty->next);
}

static void place(struct beatty *beatty, struct entity *entity)
{
    if (is_open(beatty, entity))
        enter_tree(beatty, entity, DUE, end_of(entity));
    else
        enter_tree(beatty, entity, (uint64_t)entity->weight * SOON_MOST > beatty->weights ? SOON : LATER, opening_of(entity));
}

/* Who is the next to open in a tree, if it does in this slot; else NONE. */
static unsigned opens(const struct beatty *beatty, enum tree tree)
{
    unsigned leaf = beatty->best[tree][1];

    return leaf != NONE && is_open(beatty, beatty->entity[leaf]) ? leaf : NONE;
}

/* The slot begins at `now`; those whose windows open in it take part. */
static void begin_slot(struct beatty *beatty)
{
    beatty->next = beatty->now + (UNIT + beatty->part) / beatty->weights;
    beatty->key[NONE] = beatty->now + FAR;
    for (unsigned moves = 0; moves < OPEN_MOST; moves++) {
        unsigned leaf = opens(beatty, SOON);

        if (leaf == NONE)
            leaf = opens(beatty, LATER);
        if (leaf == NONE)
            return;
        leave_tree(beatty, beatty->entity[leaf]);
        enter_tree(beatty, beatty->entity[leaf], DUE, end_of(beatty->entity[leaf]));
    }
}

static void weigh(struct beatty *beatty, uint64_t weights)
{
    beatty->weights = weights;
    beatty->part = 0;
    if (weights)
        begin_slot(beatty);
}

static void start(struct chooser *chooser, void *memory)
{
    struct beatty *beatty = memory;

    chooser->beatty = beatty;
    beatty->key[NONE] = FAR;
    for (unsigned tree = 0; tree < TREES; tree++)
        for (unsigned at = 0; at < 2 * LEAVES; at++)
            beatty->best[tree][at] = NONE;
    for (unsigned i = 0; i < LEAVES; i++)
        beatty->free[i] = (uint16_t)(i * (PHASE >> (32 - LEAVES_BITS) | 1) % LEAVES);
}

/* Who slept has lost what he did not use. */
static void insert(struct chooser *chooser, struct entity *entity)
{
    struct beatty *beatty = chooser->beatty;

    if (is_before(entity->window.start, beatty->now) || is_before(beatty->now + FAR / 2, entity->window.start)) {
        entity->window.start = beatty->now;
        entity->window.part = 0;
    }
    entity->leaf = beatty->free[beatty->used++];
    beatty->entity[entity->leaf] = entity;
    weigh(beatty, beatty->weights + entity->weight);
    place(beatty, entity);
}

static void remove(struct chooser *chooser, struct entity *entity)
{
    struct beatty *beatty = chooser->beatty;

    leave_tree(beatty, entity);
    beatty->free[--beatty->used] = entity->leaf;
    weigh(beatty, beatty->weights - entity->weight);
}

/* All have had more than their part, since others have gone: time goes on to where the first may begin again. */
__attribute__((noinline)) static struct entity *first_ahead(struct beatty *beatty)
{
    unsigned soon = beatty->best[SOON][1], later = beatty->best[LATER][1];
    unsigned leaf = is_before(beatty->key[later], beatty->key[soon]) ? later : soon;

    if (leaf == NONE)
        return NULL;
    beatty->now = beatty->entity[leaf]->window.start;
    beatty->part = 0;
    begin_slot(beatty);
    return beatty->entity[beatty->best[DUE][1]];
}

static struct entity *first(struct chooser *chooser)
{
    struct beatty *beatty = chooser->beatty;
    unsigned leaf = beatty->best[DUE][1];

    return __builtin_expect(leaf != NONE, true) ? beatty->entity[leaf] : first_ahead(beatty);
}

/* `slots` slots are over. */
static void pass_slots(struct beatty *beatty, uint64_t slots)
{
    uint64_t rest = beatty->part + UNIT % beatty->weights * slots;

    beatty->now += UNIT / beatty->weights * slots + rest / beatty->weights;
    beatty->part = rest % beatty->weights;
    begin_slot(beatty);
}

static void pass_quanta(struct entity *entity, uint64_t quanta)
{
    uint64_t rest = entity->window.part + UNIT % entity->weight * quanta;

    entity->window.start += UNIT / entity->weight * quanta + rest / entity->weight;
    entity->window.part = (uint32_t)(rest % entity->weight);
}

static void charge(struct chooser *chooser, struct entity *entity, uint64_t cycles)
{
    struct beatty *beatty = chooser->beatty;

    entity->window.spent += cycles;
    beatty->spent += cycles;
    if (entity->window.spent >= sched_slice_cycles) {
        pass_quanta(entity, entity->window.spent / sched_slice_cycles);
        entity->window.spent %= sched_slice_cycles;
        if (entity->linked) {
            leave_tree(beatty, entity);
            place(beatty, entity);
        }
    }
    if (beatty->spent >= sched_slice_cycles) {
        if (beatty->weights)
            pass_slots(beatty, beatty->spent / sched_slice_cycles);
        beatty->spent %= sched_slice_cycles;
    }
}

static bool before(const struct chooser *chooser, const struct entity *first, const struct entity *second)
{
    (void)chooser;
    return is_before(end_of(first), end_of(second));
}

static bool preempts(const struct chooser *chooser, const struct entity *entity, const struct entity *running)
{
    return is_open(chooser->beatty, entity) && before(chooser, entity, running);
}

const struct policy beatty_policy = {
    "beatty", EXO_POLICY_BEATTY, sizeof(struct beatty), LEAVES, false, false, start, insert, remove, first, charge, before, preempts,
};

/* As Beatty, between tasks: who waits for others is not chosen before they are done. */
const struct policy hybrid_policy = {
    "hybrid", EXO_POLICY_HYBRID, sizeof(struct beatty), LEAVES, true, false, start, insert, remove, first, charge, before, preempts,
};
