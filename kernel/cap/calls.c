/* The calls that hand capabilities on, take stock of them and let them go. cap/node.c takes them back. */
#include <exo/string.h>

#include "kernel.h"

int64_t k_cap_derive(struct context *caller, struct capability *env, uint64_t index, struct capability *source, uint64_t rights,
                     uint64_t badge, uint64_t expires_ns)
{
    struct env *target = (struct env *)env->object;
    uint64_t given = source->node->badge;
    unsigned type = source->object->type;
    int64_t handle;

    if (badge != 0) {
        if (!object_has_badge(type) || !(source->rights & EXO_RIGHT_MINT) || given != 0 || badge == EXO_BADGE_KERNEL)
            return -EXO_E_INVAL;
        given = badge;
    }
    handle = cap_derive(target, index, source, rights, given, expires_ns);
    if (handle >= 0)
        audit_grant(caller->env, target, source->object, source->rights & rights);
    return handle;
}

/* The slot of the caller that a handle names, whatever has become of its object; NULL and the error in *status. */
static struct capability *own_slot(struct env *env, uint64_t handle, int64_t *status)
{
    struct capability *slot = cap_slot(env, (uint32_t)(handle & 0xffff));

    *status = -EXO_E_BADSLOT;
    if (!slot || (handle & 0xffff) == 0 || handle >> 48)
        return NULL;
    if (((slot->key ^ handle) & SLOT_HANDLE) >> 16) { /* the generation: a slot that was never used has no index yet */
        *status = -EXO_E_STALE;
        return NULL;
    }
    return slot->object ? slot : NULL;
}

int64_t k_cap_delete(struct context *caller, uint64_t handle)
{
    int64_t status;
    struct capability *slot = own_slot(caller->env, handle, &status);

    if (!slot)
        return status;
    cap_clear(caller->env, slot);
    return 0;
}

int64_t k_cap_move(struct context *caller, struct capability *target, uint64_t index, uint64_t handle)
{
    struct env *env = (struct env *)target->object;
    struct capability *source, *slot;
    struct object *object;
    uint64_t rights;
    int64_t status = cap_resolve(caller->env, handle, CAP_ANY, env == caller->env ? 0 : EXO_RIGHT_COPY, &source);

    if (status < 0)
        return status;
    slot = cap_empty_slot(env, &index, &status);
    if (!slot)
        return status;
    object = source->object;
    rights = source->rights;
    status = cap_move_slot(caller->env, source, env, slot, (uint32_t)index);
    if (status >= 0)
        audit_grant(caller->env, env, object, rights);
    return status;
}

int64_t k_cap_info(struct context *caller, uint64_t handle, uint64_t out)
{
    struct capability *slot;
    int64_t status = cap_resolve(caller->env, handle, CAP_ANY, 0, &slot);
    struct exo_cap_info text;

    if (status < 0)
        return status;
    text = (struct exo_cap_info){slot->object->type, slot->object->references, slot->rights, slot->node->badge, slot->object->id};
    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}

/* Slots done at one entry. */
#define CLONE_WORK 512u

/* A copy for an equal: beside the source, not below it, so that generations of equals do not grow a chain. The first of all has no place beside it. */
static bool copy_slot(const struct capability *source, struct env *target, struct capability *slot, uint32_t index)
{
    struct cap_node *node = source->node, *above = node->parent ? node->parent : node;
    struct cap_make make = {source->object, above, source->rights, node->badge, node->expires_ns};

    return cap_fill(target, slot, index, (uint32_t)(source->key >> 16), &make);
}

int64_t k_env_clone_slots(struct context *caller, struct capability *env, uint64_t first, uint64_t count)
{
    struct env *target = (struct env *)env->object, *self = caller->env;
    uint64_t done;

    if (target->ended)
        return -EXO_E_PEER;
    if (first == 0 || first >= EXO_SLOTS_MAX)
        return 0;
    if (count > EXO_SLOTS_MAX - first)
        count = EXO_SLOTS_MAX - first;
    if (first + count > self->slots_end)
        count = first < self->slots_end ? self->slots_end - first : 0;
    for (done = 0; done < count && done < CLONE_WORK; done++) {
        uint32_t index = (uint32_t)(first + done);
        struct capability *source = cap_slot(self, index), *slot;

        if (!source || !source->object || source->object->dead || !(source->rights & EXO_RIGHT_COPY) || !node_may_derive(source->node))
            continue;
        slot = cap_slot_make(target, index);
        if (slot && (slot->object || slot->key >> 16 > (source->key & SLOT_HANDLE) >> 16))
            continue;
        if (!slot || !copy_slot(source, target, slot, index))
            return done > 0 ? (int64_t)done : -EXO_E_NOMEM;
    }
    work_done(done);
    if (done > 0)
        audit_grant(self, target, &target->object, 0);
    return (int64_t)done;
}

#define LIST_MOST 64u
#define LIST_SEARCH 1024u /* slots looked at */

/* A node's name: the place of its 64 bytes in memory. It says nothing but which is which. */
static uint64_t node_name(const struct cap_node *node)
{
    return node ? direct_physical(node) / sizeof(*node) : 0;
}

static struct exo_cap_entry describe(const struct capability *slot)
{
    const struct cap_node *node = slot->node;

    return (struct exo_cap_entry){
        .handle = cap_handle(slot),
        .type = slot->object->type,
        .depth = node->depth,
        .rights = slot->rights,
        .badge = node->badge,
        .object = slot->object->id,
        .node = node_name(node),
        .parent = node_name(node->parent),
        .expires_ns = node->expires_ns,
    };
}

int64_t k_cap_list(struct context *caller, struct capability *target, uint64_t first, uint64_t out, uint64_t count)
{
    struct env *env = (struct env *)target->object;
    uint64_t written = 0, end = env->slots_end;

    if (count == 0 || count > LIST_MOST)
        return -EXO_E_INVAL;
    if (first < end && end - first > LIST_SEARCH)
        end = first + LIST_SEARCH;
    if (first < end)
        work_done(end - first);
    for (uint64_t index = first; index < end && written < count; index++) {
        const struct capability *slot = cap_slot(env, (uint32_t)index);
        struct exo_cap_entry entry;

        if (!slot || !slot->object)
            continue;
        entry = describe(slot);
        if (!space_write(caller->env, out + written * sizeof(entry), &entry, sizeof(entry)))
            return -EXO_E_FAULT;
        written++;
    }
    return written == 0 && end < env->slots_end ? -EXO_E_AGAIN : (int64_t)written;
}
