/*
 * Capability slots of an environment: the first SLOTS_INLINE in its own page, the others in pages that a directory names. A handle is index and
 * generation; the generation grows each time the slot is emptied, and a slot whose generation would wrap is never used again, so a
 * handle never comes to mean another capability.
 */
#include <exo/string.h>

#include "grant.h"
#include "port.h"


struct capability *cap_slot_make(struct env *env, uint32_t index)
{
    struct capability *slot = cap_slot(env, index);
    uint64_t physical;

    if (slot)
        return slot;
    if (!env->directory) {
        physical = frame_take(env->zone, 0, false);
        if (!physical)
            return NULL;
        env->directory = direct(physical);
    }
    physical = frame_take(env->zone, 0, false);
    if (!physical)
        return NULL;
    env->directory[(index - SLOTS_INLINE) / SLOTS_PAGE] = direct(physical);
    return cap_slot(env, index);
}

/* Why a handle does not resolve; 0 for one that does, but has a time, which has not passed. */
__attribute__((noinline, cold)) int64_t cap_explain(const struct capability *slot, uint64_t handle, unsigned type, uint64_t rights)
{
    if (!slot || (handle & 0xffff) == 0 || handle >> 48)
        return -EXO_E_BADSLOT;
    if (GENERATION(slot->key) != GENERATION(handle))
        return -EXO_E_STALE;
    if (!slot->object || slot->object->dead)
        return -EXO_E_BADSLOT;
    if (slot->key & SLOT_EXPIRES && arch_now_ns() >= slot->node->expires_ns)
        return -EXO_E_EXPIRED;
    if (type != CAP_ANY && slot->object->type != type)
        return -EXO_E_TYPE;
    return rights & ~slot->rights ? -EXO_E_RIGHTS : 0;
}

#define SLOTS_A_PAGE 32u /* looked at for the work of a page */

/* Lowest free index, or 0. */
static uint32_t find_free(struct env *env)
{
    uint32_t index = env->slots_hint;

    while (index < EXO_SLOTS_MAX && !slot_usable(cap_slot(env, index)))
        index++;
    work_done((index - env->slots_hint) / SLOTS_A_PAGE);
    return index < EXO_SLOTS_MAX ? index : 0;
}

static inline void count_capability(struct object *object, uint64_t rights, int change)
{
    if (__builtin_expect(!has_books(object, rights), true))
        return;
    if (object->type == EXO_TYPE_TALLY)
        tally_changed((struct tally *)object, change);
    else
        endpoint_caps_changed((struct endpoint *)object, change);
}

static void occupied(struct env *env, uint32_t index, struct object *object)
{
    if (__builtin_expect(env == recall_scanned, false))
        recall_holds(env, object);
    env->slots_used++;
    if (index >= env->slots_end)
        env->slots_end = index + 1;
    if (index == env->slots_hint)
        env->slots_hint++;
}

static void vacate(struct env *env, struct capability *slot)
{
    uint32_t index = (uint32_t)(slot->key & 0xffff);

    *slot = (struct capability){.key = (uint64_t)(GENERATION(slot->key) + 1) << 16 | index};
    env->slots_used--;
    zone_give_slots(env->zone, 1);
    if (index < env->slots_hint)
        env->slots_hint = index;
}

bool cap_fill(struct env *env, struct capability *slot, uint32_t index, uint32_t generation, const struct cap_make *make)
{
    struct cap_node *node;

    if (!zone_take_slot(env->zone))
        return false;
    node = node_new(env->zone, make->parent);
    if (!node) {
        zone_give_slots(env->zone, 1);
        return false;
    }
    node->env = env;
    node->index = (uint16_t)index;
    node->badge = make->badge;
    node->expires_ns = make->expires_ns;
    slot->object = make->object;
    slot->rights = make->rights;
    slot->node = node;
    slot->key = (uint64_t)generation << 16 | index | SLOT_LIVE | (make->expires_ns == EXO_DEADLINE_NEVER ? 0 : SLOT_EXPIRES);
    object_hold(make->object);
    count_capability(make->object, make->rights, 1);
    occupied(env, index, make->object);
    return true;
}

struct capability *cap_empty_slot(struct env *env, uint64_t *index, int64_t *status)
{
    struct capability *slot;

    *status = -EXO_E_PEER;
    if (env->ended)
        return NULL;
    *status = -EXO_E_INVAL;
    if (*index >= EXO_SLOTS_MAX)
        return NULL;
    if (*index == 0) {
        *index = find_free(env);
        *status = -EXO_E_NOSLOT;
        if (*index == 0)
            return NULL;
        env->slots_hint = (uint32_t)*index;
    }
    slot = cap_slot_make(env, (uint32_t)*index);
    *status = -EXO_E_NOMEM;
    if (!slot)
        return NULL;
    if (slot->object && slot->object->dead)
        cap_clear(env, slot); /* what it named is gone */
    *status = -EXO_E_EXISTS;
    return slot_usable(slot) ? slot : NULL;
}

static int64_t insert(struct env *env, uint64_t index, const struct cap_make *make)
{
    struct capability *slot = index == 0 ? cap_slot(env, env->slots_hint) : NULL;
    int64_t status;

    lock_needed();
    if (slot && slot_usable(slot) && !env->ended) /* as a rule the first that may be free is */
        index = env->slots_hint;
    else
        slot = cap_empty_slot(env, &index, &status);
    if (!slot)
        return status;
    if (!cap_fill(env, slot, (uint32_t)index, GENERATION(slot->key), make))
        return -EXO_E_NOMEM;
    return (int64_t)cap_handle(slot);
}

int64_t cap_insert(struct env *env, uint64_t index, struct object *object, uint64_t rights, uint64_t badge)
{
    return insert(env, index, &(struct cap_make){object, NULL, rights, badge, EXO_DEADLINE_NEVER});
}

int64_t cap_insert_below(struct env *env, const struct capability *above, struct object *object, uint64_t rights)
{
    struct cap_make make = {object, above->node, rights, 0, above->node->expires_ns};

    return node_may_derive(above->node) ? insert(env, 0, &make) : -EXO_E_LIMIT;
}

int64_t cap_derive(struct env *env, uint64_t index, const struct capability *source, uint64_t rights, uint64_t badge, uint64_t expires_ns)
{
    const struct cap_node *node = source->node;
    struct cap_make make = {source->object, source->node, source->rights & rights, badge,
                            expires_ns < node->expires_ns ? expires_ns : node->expires_ns};

    if (!node_may_derive(node))
        return -EXO_E_LIMIT;
    return insert(env, index, &make);
}

__attribute__((noinline)) static int64_t grant_else(struct env *from, uint64_t handle, struct env *to)
{
    struct capability *source;
    int64_t status = cap_resolve(from, handle, CAP_ANY, EXO_RIGHT_COPY, &source);

    if (status < 0)
        return status;
    if (!label_may(from, &to->object, EXO_RULE_GRANT))
        return label_refused(from, &to->object, EXO_AUDIT_GRANT);
    status = cap_derive(to, 0, source, source->rights, source->node->badge, EXO_DEADLINE_NEVER);
    if (status >= 0)
        audit_grant(from, to, source->object, source->rights);
    return status;
}

int64_t cap_grant(struct env *from, uint64_t handle, struct env *to)
{
    uint64_t granted = handle;

    return !to->ended && cap_grant_plain(from, &granted, to) ? (int64_t)granted : grant_else(from, handle, to);
}

void cap_clear(struct env *env, struct capability *slot)
{
    struct object *object = slot->object;
    uint64_t rights = slot->rights;

    node_leave(slot->node);
    vacate(env, slot);
    count_capability(object, rights, -1);
    object_drop(object);
}

int64_t cap_move_slot(struct env *from, struct capability *source, struct env *to, struct capability *slot, uint32_t index)
{
    uint64_t flags = source->key & ~SLOT_HANDLE;
    uint32_t generation = GENERATION(slot->key);

    if (!zone_take_slot(to->zone))
        return -EXO_E_NOMEM;
    *slot = *source;
    slot->key = (uint64_t)generation << 16 | index | flags;
    slot->node->env = to;
    slot->node->index = (uint16_t)index;
    occupied(to, index, slot->object);
    vacate(from, source);
    return (int64_t)cap_handle(slot);
}

bool cap_clear_some(struct env *env, unsigned most)
{
    work_done(env->slots_end < most ? env->slots_end : most);
    while (most-- > 0 && env->slots_end > 0) {
        struct capability *slot = cap_slot(env, --env->slots_end);

        if (slot && slot->object)
            cap_clear(env, slot);
    }
    return env->slots_end == 0;
}

void cap_free_table(struct env *env)
{
    if (!env->directory)
        return;
    for (unsigned page = 0; page < PAGE / sizeof(void *); page++)
        if (env->directory[page])
            frame_drop(direct_physical(env->directory[page]));
    frame_drop(direct_physical(env->directory));
    env->directory = NULL;
}
