/*
 * Zones: a label and quotas, in a tree. What is charged to a zone is charged to all above it, so a zone can never use more than its parent has. A
 * zone ends with the last frame that is charged to it, which may be mapped elsewhere long after its last capability and environment have gone;
 * then its number is free for another.
 */
#include "policy.h"
#include "port.h"

#define ZONE_END_COST 32u /* of a piece of reap.c's */
#define ENDS_AT_ONCE 8u

struct zone *zones[ZONES_MAX];

static struct zone root_zone = {
    .object = {.references = 1, .type = EXO_TYPE_ZONE, .label = EXO_LABEL_TOP},
    .quota = UINT64_MAX,
    .envs.quota = UINT64_MAX,
    .slots.quota = UINT64_MAX,
    .zones_most = ZONES_MAX - 1,
};

void zone_init(void)
{
    root_zone.object.id = object_next_id();
    root_zone.object.zone = &root_zone;
    zone_small_init(&root_zone);
    members_zone_new(&root_zone);
    gas_account_init(&root_zone.gas, NULL, &root_zone, &root_zone.object);
    chooser_start(&root_zone.below, &root_zone.part, NULL, EXO_ZONE_WEIGHT);
    share_start(&root_zone.share, &root_zone.below, EXO_ZONE_WEIGHT);
    zones[0] = &root_zone;
}

static void count_zone(struct zone *parent, int change)
{
    for (struct zone *at = parent; at; at = at->parent)
        at->zones_below = (uint16_t)(at->zones_below + change);
}

static void zone_end(struct zone *zone)
{
    zones[zone->number] = NULL;
    members_zone_end(zone);
    share_end(&zone->share, &zone->parent->share);
    entity_end(&zone->part);
    gas_account_end(&zone->gas);
    audit(EXO_AUDIT_GONE, NULL, zone->object.id, zone, 0);
    zone_give_envs(zone->parent, 1);
    count_zone(zone->parent, -1);
    object_free(&zone->object, sizeof(*zone));
}

/*
 * Zones where nothing is charged any more. The end of one may be another's: what its account of gas told may have been the last that was charged there,
 * and so on. They end one after the other, so that no chain, however long, takes more of the kernel's stack, and some at a time.
 */
static struct zone *ending;
static bool ends; /* one is ending now */

bool zone_end_some(unsigned *most)
{
    ends = true;
    while (ending && *most >= ZONE_END_COST) {
        struct zone *zone = ending;

        ending = zone->next_ending;
        zone_end(zone);
        *most -= ZONE_END_COST;
    }
    ends = false;
    return !ending;
}

static void zone_end_in_turn(struct zone *zone)
{
    unsigned most = ENDS_AT_ONCE * ZONE_END_COST;

    zone->next_ending = ending;
    ending = zone;
    if (!ends && !zone_end_some(&most))
        reap_more();
}

bool zone_charge(struct zone *zone, uint64_t count)
{
    struct zone *at, *undo;

    lock_needed();
    for (at = zone; at; at = at->parent) {
        if (count > at->quota - at->used) {
            for (undo = zone; undo != at; undo = undo->parent)
                undo->used -= count;
            return false;
        }
        at->used += count;
    }
    return true;
}

void zone_uncharge(struct zone *zone, uint64_t count)
{
    for (struct zone *at = zone; at; at = at->parent) {
        ASSERT(at->used >= count);
        at->used -= count;
    }
    if (zone->closing && zone->used == 0)
        zone_end_in_turn(zone);
}

/* As zone_charge, for the count at `offset` in struct zone. */
static bool take(struct zone *zone, size_t offset, uint64_t count)
{
    struct zone *at = zone;

    do {
        struct zone_count *counted = (struct zone_count *)(void *)((char *)at + offset);

        if (__builtin_expect(count > counted->quota - counted->used, false)) {
            for (struct zone *undo = zone; undo != at; undo = undo->parent)
                ((struct zone_count *)(void *)((char *)undo + offset))->used -= count;
            return false;
        }
        counted->used += count;
        at = at->parent;
    } while (__builtin_expect(at != NULL, false)); /* as a rule there are few zones */
    return true;
}

static void give(struct zone *zone, size_t offset, uint64_t count)
{
    for (struct zone *at = zone; at; at = at->parent) {
        struct zone_count *counted = (struct zone_count *)(void *)((char *)at + offset);

        ASSERT(counted->used >= count);
        counted->used -= count;
    }
}

bool zone_take_envs(struct zone *zone, uint64_t count)
{
    return take(zone, offsetof(struct zone, envs), count);
}

void zone_give_envs(struct zone *zone, uint64_t count)
{
    give(zone, offsetof(struct zone, envs), count);
}

bool zone_take_slots(struct zone *zone, uint64_t count)
{
    return take(zone, offsetof(struct zone, slots), count);
}

void zone_give_slots(struct zone *zone, uint64_t count)
{
    give(zone, offsetof(struct zone, slots), count);
}

static unsigned free_number(void)
{
    unsigned number = 1;

    while (number < ZONES_MAX && zones[number])
        number++;
    return number;
}

/*
 * Numbers are everybody's: the zones below a zone, at all depths, may have three quarters of what it may have itself, so that no zone uses them up. Who
 * makes zones for several that might together gives them quotas of environments, which count zones too.
 */
static bool room_below(const struct zone *parent)
{
    for (const struct zone *at = parent; at; at = at->parent)
        if (at->zones_below >= at->zones_most)
            return false;
    return true;
}

/* The handle of a new zone below that of `above` in the caller's slots, or an error. The limits are sound. */
static int64_t make(struct context *caller, const struct capability *above, unsigned label, const struct exo_zone_limits *limits)
{
    struct zone *parent = (struct zone *)above->object;
    unsigned number = free_number();
    struct zone *zone;
    int64_t handle;

    if (number == ZONES_MAX || parent->depth + 1u >= EXO_ZONE_DEPTH || !room_below(parent) || parent->below.children >= parent->below.policy->most)
        return -EXO_E_LIMIT;
    if (!zone_take_envs(parent, 1))
        return -EXO_E_NOMEM;
    zone = object_new(parent, EXO_TYPE_ZONE, sizeof(*zone));
    if (!zone) {
        zone_give_envs(parent, 1);
        return -EXO_E_NOMEM;
    }
    zone->object.label = (uint8_t)label;
    zone->parent = parent;
    zone->quota = limits->frames;
    zone->envs.quota = limits->envs;
    zone->slots.quota = limits->slots;
    zone->number = (uint16_t)number;
    zone->depth = parent->depth + 1;
    zone->zones_most = (uint16_t)(parent->zones_most * 3u / 4);
    count_zone(parent, 1);
    zone_small_init(zone);
    members_zone_new(zone);
    gas_account_init(&zone->gas, &parent->gas, zone, &zone->object);
    chooser_start(&zone->below, &zone->part, &parent->below, (uint32_t)limits->weight);
    share_start(&zone->share, &zone->below, EXO_ZONE_WEIGHT);
    zones[number] = zone;
    audit(EXO_AUDIT_CREATE, caller->env, parent->object.id, zone, 0);
    handle = cap_insert_below(caller->env, above, &zone->object, EXO_RIGHTS_ALL);
    object_drop(&zone->object);
    return handle;
}

/* The last reference is gone, so no environment and no object is charged here any more; frames may be. */
void zone_destroy(struct object *object)
{
    struct zone *zone = (struct zone *)object;

    zone_small_end(zone);
    chooser_end(zone);
    zone->closing = true;
    if (zone->used == 0)
        zone_end_in_turn(zone);
}

int64_t k_zone_create(struct context *caller, struct capability *zone, uint64_t quota_frames)
{
    struct zone *parent = (struct zone *)zone->object;
    const struct exo_zone_limits limits = {quota_frames, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

    return make(caller, zone, parent->object.label, &limits);
}

int64_t k_zone_make(struct context *caller, struct capability *zone, uint64_t label, uint64_t limits_va)
{
    struct zone *parent = (struct zone *)zone->object;
    struct exo_zone_limits limits;

    if (!space_read(caller->env, &limits, limits_va, sizeof(limits)))
        return -EXO_E_FAULT;
    if (!exo_label_known(label) || limits.weight == 0 || limits.weight > EXO_ZONE_WEIGHT_MAX)
        return -EXO_E_INVAL;
    if (!exo_label_dominates(parent->object.label, (unsigned)label)) /* whose label the caller's dominates: the decoder asked */
        return label_refused(caller->env, &parent->object, EXO_AUDIT_CREATE);
    return make(caller, zone, (unsigned)label, &limits);
}

/* 0, or why the environment cannot enter. */
static int64_t check_enter(struct env *actor, struct zone *zone, const struct env *env)
{
    unsigned contexts = 0;

    if (env->ended)
        return -EXO_E_PEER;
    if (!exo_label_dominates(env->object.label, zone->object.label))
        return label_refused(actor, &zone->object, EXO_AUDIT_ENTER);
    for (const struct list *at = env->contexts.next; at != &env->contexts; at = at->next)
        if (++contexts > EXO_ENTER_CONTEXTS)
            return -EXO_E_LIMIT;
    return 0;
}

int64_t k_zone_enter(struct context *caller, struct capability *capability, struct capability *env_capability)
{
    struct zone *zone = (struct zone *)capability->object, *left;
    struct env *env = (struct env *)env_capability->object;
    int64_t status = check_enter(caller->env, zone, env);

    if (status < 0)
        return status;
    if (!zone_take_envs(zone, 1))
        return -EXO_E_NOMEM;
    if (!zone_take_slots(zone, env->slots_used)) {
        zone_give_envs(zone, 1);
        return -EXO_E_NOMEM;
    }
    audit(EXO_AUDIT_ENTER, env, env->object.id, zone, 0);
    work_done(env->context_count);
    left = env->zone;
    zone_give_envs(left, 1);
    zone_give_slots(left, env->slots_used);
    object_hold(&zone->object);
    gas_change_zone(env, zone);
    members_leave(env);
    members_add(env);
    env->object.label = zone->object.label;
    for (struct list *at = env->contexts.next; at != &env->contexts; at = at->next)
        LIST_ENTRY(at, struct context, env_link)->object.label = zone->object.label;
    object_drop(&left->object);
    return 0;
}

int64_t k_zone_info(struct context *caller, struct capability *zone, uint64_t out)
{
    struct zone *asked = (struct zone *)zone->object;
    uint64_t words[2] = {asked->used, asked->quota == UINT64_MAX ? frames_total : asked->quota};

    return space_write(caller->env, out, words, sizeof(words)) ? 0 : -EXO_E_FAULT;
}

int64_t k_zone_status(struct context *caller, struct capability *capability, uint64_t out)
{
    const struct zone *zone = (const struct zone *)capability->object;
    const struct exo_zone_status status = {
        .id = zone->object.id,
        .parent = zone->parent ? zone->parent->object.id : 0,
        .label = zone->object.label,
        .number = zone->number,
        .frames = zone->used,
        .envs = zone->envs.used,
        .slots = zone->slots.used,
        .limits = {zone->quota, zone->envs.quota, zone->slots.quota, zone->part.weight},
    };

    return space_write(caller->env, out, &status, sizeof(status)) ? 0 : -EXO_E_FAULT;
}
