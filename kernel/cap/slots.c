/*
 * Capability slots of an environment: the first SLOTS_INLINE in its own page, the others in pages that a directory names. A handle is index and
 * generation; the generation grows each time the slot is emptied, and a slot whose generation would wrap is never used again, so a
 * handle never comes to mean another capability.
 */
#include <exo/string.h>

#include "kernel.h"

#define GENERATION_LAST UINT32_MAX

static struct capability *slot_at(struct env *env, uint32_t index)
{
    struct capability *page;

    if (index < SLOTS_INLINE)
        return &env->slots[index];
    if (index >= EXO_SLOTS_MAX || !env->directory)
        return NULL;
    index -= SLOTS_INLINE;
    page = env->directory[index / SLOTS_PAGE];
    return page ? &page[index % SLOTS_PAGE] : NULL;
}

/* As slot_at, but makes the page that is missing; NULL: no memory. */
static struct capability *slot_make(struct env *env, uint32_t index)
{
    struct capability *slot = slot_at(env, index);
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
    return slot_at(env, index);
}

int64_t cap_resolve(struct env *env, uint64_t handle, unsigned type, uint64_t rights, struct capability **found)
{
    uint32_t index = (uint32_t)(handle & 0xffff);
    struct capability *slot = slot_at(env, index);

    if (!slot || index == 0 || handle >> 48)
        return -EXO_E_BADSLOT;
    if (slot->generation != (uint32_t)(handle >> 16))
        return -EXO_E_STALE;
    if (!slot->object || slot->object->dead)
        return -EXO_E_BADSLOT;
    if (type != CAP_ANY && slot->object->type != type)
        return -EXO_E_TYPE;
    if (rights & ~slot->rights)
        return -EXO_E_RIGHTS;
    *found = slot;
    return 0;
}

static bool slot_usable(const struct capability *slot)
{
    return !slot || (!slot->object && slot->generation != GENERATION_LAST);
}

/* Lowest free index, or 0. */
static uint32_t find_free(struct env *env)
{
    uint32_t index = env->slots_hint ? env->slots_hint : 1;

    for (; index < EXO_SLOTS_MAX; index++)
        if (slot_usable(slot_at(env, index)))
            return index;
    return 0;
}

/* Books that depend on what a capability allows. */
static void count_capability(struct capability *slot, int change)
{
    if (slot->object->type == EXO_TYPE_TALLY)
        tally_changed((struct tally *)slot->object, change);
    if (slot->object->type == EXO_TYPE_ENDPOINT && slot->rights & EXO_RIGHT_RECV)
        endpoint_caps_changed((struct endpoint *)slot->object, change);
}

/* False: the zone's quota of slots is used up, nothing changed. */
static bool fill(struct env *env, struct capability *slot, struct object *object, uint64_t rights, uint64_t badge)
{
    if (!zone_take_slots(env->zone, 1))
        return false;
    slot->object = object;
    slot->rights = rights;
    slot->badge = badge;
    object_hold(object);
    count_capability(slot, 1);
    env->slots_used++;
    if (slot->index >= env->slots_end)
        env->slots_end = slot->index + 1;
    if (slot->index == env->slots_hint)
        env->slots_hint++;
    return true;
}

/* As cap_clear, and the books of the environment. */
static void empty(struct env *env, struct capability *slot)
{
    env->slots_used--;
    zone_give_slots(env->zone, 1);
    cap_clear(slot);
}

int64_t cap_insert(struct env *env, uint64_t index, struct object *object, uint64_t rights, uint64_t badge)
{
    struct capability *slot;

    if (env->ended)
        return -EXO_E_PEER;
    if (index >= EXO_SLOTS_MAX)
        return -EXO_E_INVAL;
    if (index == 0) {
        index = find_free(env);
        if (index == 0)
            return -EXO_E_NOSLOT;
        env->slots_hint = (uint32_t)index;
    }
    slot = slot_make(env, (uint32_t)index);
    if (!slot)
        return -EXO_E_NOMEM;
    if (slot->object && slot->object->dead)
        empty(env, slot); /* what it named is gone */
    if (!slot_usable(slot))
        return -EXO_E_EXISTS;
    slot->index = (uint32_t)index;
    return fill(env, slot, object, rights, badge) ? (int64_t)cap_handle(slot) : -EXO_E_NOMEM;
}

void cap_clear(struct capability *slot)
{
    struct object *object = slot->object;

    count_capability(slot, -1);
    slot->object = NULL;
    slot->rights = 0;
    slot->badge = 0;
    slot->generation++;
    object_drop(object);
}

bool cap_clear_some(struct env *env, unsigned most)
{
    while (most-- > 0 && env->slots_end > 0) {
        struct capability *slot = slot_at(env, --env->slots_end);

        if (slot && slot->object)
            empty(env, slot);
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

int64_t k_cap_copy(struct context *caller, struct capability *env, uint64_t index, struct capability *source, uint64_t rights,
                   uint64_t badge)
{
    struct env *target = (struct env *)env->object;
    uint64_t copied_badge = source->badge;
    int64_t handle;

    if (badge != 0) {
        if (source->object->type != EXO_TYPE_ENDPOINT || !(source->rights & EXO_RIGHT_MINT) || source->badge != 0 ||
            badge == EXO_BADGE_KERNEL)
            return -EXO_E_INVAL;
        copied_badge = badge;
    }
    handle = cap_insert(target, index, source->object, source->rights & rights, copied_badge);
    if (handle >= 0)
        audit_grant(caller->env, target, source->object, source->rights & rights);
    return handle;
}

int64_t k_cap_delete(struct context *caller, uint64_t handle)
{
    struct env *env = caller->env;
    struct capability *slot = slot_at(env, (uint32_t)(handle & 0xffff));

    if (!slot || (handle & 0xffff) == 0 || handle >> 48)
        return -EXO_E_BADSLOT;
    if (slot->generation != (uint32_t)(handle >> 16))
        return -EXO_E_STALE;
    if (!slot->object)
        return -EXO_E_BADSLOT;
    if (slot->index < env->slots_hint)
        env->slots_hint = slot->index;
    empty(env, slot);
    return 0;
}

int64_t k_cap_info(struct context *caller, uint64_t handle, uint64_t out)
{
    struct capability *slot;
    int64_t status = cap_resolve(caller->env, handle, CAP_ANY, 0, &slot);
    struct exo_cap_info text;

    if (status < 0)
        return status;
    text = (struct exo_cap_info){slot->object->type, slot->object->references, slot->rights, slot->badge, slot->object->id};
    return space_write(caller->env, out, &text, sizeof(text)) ? 0 : -EXO_E_FAULT;
}

/* Slots done at one entry. */
#define CLONE_WORK 512u

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
        struct capability *source = slot_at(self, (uint32_t)(first + done)), *slot;

        if (!source || !source->object || source->object->dead || !(source->rights & EXO_RIGHT_COPY))
            continue;
        slot = slot_make(target, (uint32_t)(first + done));
        if (!slot)
            return done > 0 ? (int64_t)done : -EXO_E_NOMEM;
        if (slot->object || slot->generation > source->generation)
            continue;
        slot->index = source->index;
        slot->generation = source->generation;
        if (!fill(target, slot, source->object, source->rights, source->badge))
            return done > 0 ? (int64_t)done : -EXO_E_NOMEM;
    }
    if (done > 0)
        audit_grant(self, target, &target->object, 0);
    return (int64_t)done;
}
