/* The reference model of who is in a zone. */
#include "model_calls.h"

static bool is_in(const struct m_object *at, const struct m_object *zone)
{
    while (at && at != zone)
        at = at->zone;
    return at;
}

/* Which comes next is the kernel's choice; it must be a living one that is there. */
void zone_member(struct step *s)
{
    struct m_object *zone = s->caps[0]->object, *env;
    struct m_cap *after = NULL;
    struct m_make make;

    if (s->a[1])
        s->must |= m_resolve(s->env, s->a[1], EXO_TYPE_ENV, 0, &after);
    MUST(s, after && !is_in(after->object->charged, zone), INVAL);
    MAY(s, m_tight(s, s->env->charged, 3), NOMEM);
    if (s->result != 0)
        m_check_below(s, s->caps[0]);
    if (m_refused(s))
        return;
    for (unsigned i = 0; i < m_objects.count && s->result == 0 && s->a[1] == 0; i++) {
        env = m_objects.at[i];
        REQUIRE(env->type != EXO_TYPE_ENV || env->dead || env->dying || !is_in(env->charged, zone), "zone_member finds nobody");
    }
    if (s->result == 0)
        return;
    env = m_find(m_kernel_object(s->env, (uint64_t)s->result));
    REQUIRE(env->type == EXO_TYPE_ENV && !env->dead && !env->dying && is_in(env->charged, zone), "zone_member found another");
    make = m_derive(s->caps[0], EXO_RIGHT_DESTROY | EXO_RIGHT_INSPECT | EXO_RIGHT_RECLAIM | EXO_RIGHT_GAS | EXO_RIGHT_COPY, 0, EXO_DEADLINE_NEVER);
    make.object = env;
    m_inserted(s->env, (uint64_t)s->result, &make);
}
