/*
 * Who is in a zone. All zones and environments stand in one list: a zone is a pair of marks with its environments and the zones below it between
 * them. So whoever holds a zone reaches every environment in it, also one that nobody holds a capability to.
 */
#include "kernel.h"

/* What of a zone's rights is good for its members: to see and to end them, not to act as them. */
#define MEMBER_RIGHTS (EXO_RIGHT_DESTROY | EXO_RIGHT_INSPECT | EXO_RIGHT_RECLAIM | EXO_RIGHT_GAS | EXO_RIGHT_COPY)

void members_zone_new(struct zone *zone)
{
    list_init(&zone->members.link);
    list_init(&zone->members_end.link);
    if (zone->parent)
        list_insert_before(&zone->parent->members_end.link, &zone->members_end.link);
    else
        list_append(&zone->members.link, &zone->members_end.link);
    if (zone->parent)
        list_insert_before(&zone->members_end.link, &zone->members.link);
}

void members_zone_end(struct zone *zone)
{
    list_remove(&zone->members.link);
    list_remove(&zone->members_end.link);
}

void members_add(struct env *env)
{
    env->member.env = env;
    list_insert_before(&env->zone->members_end.link, &env->member.link);
}

void members_leave(struct env *env)
{
    list_remove(&env->member.link);
}

static bool is_in(const struct zone *at, const struct zone *zone)
{
    while (at && at != zone)
        at = at->parent;
    return at;
}

int64_t k_zone_member(struct context *caller, struct capability *capability, uint64_t after)
{
    struct zone *zone = (struct zone *)capability->object;
    struct list *at = zone->members.link.next;
    struct capability *slot;
    uint64_t rights = capability->rights & MEMBER_RIGHTS;
    struct env *env;
    int64_t handle;

    if (after) {
        int64_t status = cap_resolve(caller->env, after, EXO_TYPE_ENV, 0, &slot);

        if (status < 0)
            return status;
        env = (struct env *)slot->object;
        if (!is_in(env->zone, zone))
            return -EXO_E_INVAL;
        at = env->member.link.next;
    }
    while (at != &zone->members_end.link && !LIST_ENTRY(at, struct member, link)->env) /* marks of zones below: there are not many */
        at = at->next;
    if (at == &zone->members_end.link)
        return 0;
    env = LIST_ENTRY(at, struct member, link)->env;
    handle = cap_insert_below(caller->env, capability, &env->object, rights);
    if (handle >= 0)
        audit_grant(env, caller->env, &env->object, rights);
    return handle;
}
