/* Giving a capability away in the plainest case, in line: for cap_grant (cap/slots.c), and for the fast path of a call with a capability. */
#ifndef GRANT_H
#define GRANT_H
#include "node.h"
#include "recall.h"

#define GENERATION_LAST UINT32_MAX
#define GENERATION(key) ((uint32_t)((key) >> 16))

static inline bool slot_usable(const struct capability *slot)
{
    return !slot || (!slot->object && GENERATION(slot->key) != GENERATION_LAST);
}

/* There are books that depend on what a capability allows. */
static inline bool has_books(const struct object *object, uint64_t rights)
{
    return object->type == EXO_TYPE_TALLY || (object->type == EXO_TYPE_ENDPOINT && rights & EXO_RIGHT_RECV);
}

/*
 * Allowed, within a zone, without a time, nothing to count, and all at hand: `slot` is the lowest free one, in the environment's page, and there is
 * memory for a node.
 */
static inline __attribute__((always_inline)) bool is_plain(const struct env *from, const struct capability *source, uint64_t handle,
                                                            const struct env *to, const struct capability *slot)
{
    return cap_fits(source, handle, CAP_ANY, EXO_RIGHT_COPY) && label_may(from, &to->object, EXO_RULE_GRANT) && from->zone == to->zone &&
           to->slots_hint < SLOTS_INLINE && slot_usable(slot) && source->node->depth != NODE_DEPTH_LAST && node_revocations == 0 &&
           zone_small_at_hand(to->zone, sizeof(struct cap_node)) && !has_books(source->object, source->rights) && to != recall_scanned;
}

/*
 * What cap_grant does, by hand for what is_plain: it is most of what a capability adds to a call. *handle becomes the new one; false: nothing was done,
 * it is not plain or there is no slot left in a quota. `to` has not ended: a context of its waits.
 */
static inline __attribute__((always_inline)) bool cap_grant_plain(struct env *from, uint64_t *handle, struct env *to)
{
    const struct capability *source = &from->slots[*handle % SLOTS_INLINE];
    uint32_t index = to->slots_hint;
    struct capability *slot = &to->slots[index % SLOTS_INLINE];
    struct zone *zone = to->zone;
    struct object *object;
    struct cap_node *above, *node;

    KEPT(source);
    KEPT(slot);
    if (__builtin_expect(!is_plain(from, source, *handle, to, slot) || !zone_take_slot(zone), false))
        return false;
    object = source->object;
    above = source->node;
    if (!above)
        __builtin_unreachable();
    node = zone_small_take(&zone->slab[slab_class(sizeof(*node))]);
    node_start(node, zone, above);
    node->env = to;
    node->index = (uint16_t)index;
    node->badge = above->badge;
    node->expires_ns = EXO_DEADLINE_NEVER;
    *handle = slot->key | index;
    slot->key = *handle | SLOT_LIVE;
    slot->object = object;
    slot->rights = source->rights;
    slot->node = node;
    object->references++;
    to->slots_used++;
    to->slots_hint = index + 1;
    if (index >= to->slots_end)
        to->slots_end = index + 1;
    return true;
}

#endif
