/* What the calls on zones and the record of what crosses between them may answer, and what they change. */
#include "model_calls.h"

/* A new zone below the first argument. */
static void new_zone(struct step *s, uint64_t label)
{
    struct m_object *parent = s->caps[0]->object, *zone;
    unsigned depth = 0, numbers = 0;

    for (const struct m_object *at = parent; at != m_zone_root; at = at->zone)
        depth++;
    for (unsigned i = 0; i < ZONES_MAX; i++)
        numbers += zones[i] != NULL;
    MUST(s, depth + 1 >= EXO_ZONE_DEPTH, LIMIT);
    MAY(s, numbers == ZONES_MAX, LIMIT);
    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, parent, 3) || m_tight(s, s->env->charged, 3), NOMEM);
    if (m_refused(s))
        return;
    zone = m_new(EXO_TYPE_ZONE, m_kernel_object(s->env, (uint64_t)s->result), parent);
    zone->label = (uint8_t)label;
    m_created_below(s, s->caps[0], zone, EXO_RIGHTS_ALL);
}

void zone_create(struct step *s)
{
    new_zone(s, s->caps[0]->object->label);
}

void zone_make(struct step *s)
{
    MUST(s, !s->input_valid, FAULT);
    MUST(s, s->input_valid && (s->a[1] >= EXO_LABELS || s->limits.weight == 0 || s->limits.weight > EXO_ZONE_WEIGHT_MAX), INVAL);
    MUST(s, s->a[1] < EXO_LABELS && !exo_label_dominates(s->caps[0]->object->label, (unsigned)s->a[1]), DENIED);
    new_zone(s, s->a[1]);
}

void zone_enter(struct step *s)
{
    struct m_object *zone = s->caps[0]->object, *env = s->caps[1]->object, *left = env->charged;

    MUST(s, env->ended, PEER);
    MUST(s, !exo_label_dominates(env->label, zone->label), DENIED);
    MUST(s, env->contexts.count > EXO_ENTER_CONTEXTS, LIMIT);
    MAY(s, m_tight(s, zone, env->slots_used + 1), NOMEM);
    if (m_refused(s))
        return;
    m_hold(zone);
    m_gas_change_zone(env, left, zone);
    env->charged = zone;
    env->label = zone->label;
    for (unsigned i = 0; i < env->contexts.count; i++) {
        list_object(&env->contexts, i)->label = zone->label;
        list_object(&env->contexts, i)->slice = NULL;
    }
    m_drop(left);
}

void zone_status(struct step *s)
{
    const struct m_object *zone = s->caps[0]->object;
    struct exo_zone_status said;

    if (output(s, s->a[1], sizeof(said)) && m_read(s->env, &said, s->a[1], sizeof(said)))
        REQUIRE(said.id == zone->kernel->id && said.label == zone->label && said.number == zone->number, "zone_status says zone %lu label %u", said.id,
                said.label);
}

void audit_read(struct step *s)
{
    uint64_t most = s->a[3] < EXO_AUDIT_MOST ? s->a[3] : EXO_AUDIT_MOST;

    if (s->result < 0) {
        MUST(s, !m_wrote_each(s, s->env, s->a[2], sizeof(struct exo_audit_record), most), FAULT);
        m_refused(s);
        return;
    }
    REQUIRE((uint64_t)s->result <= most, "audit_read answered %ld", s->result);
    m_wrote_each(s, s->env, s->a[2], sizeof(struct exo_audit_record), (uint64_t)s->result);
}

void audit_info(struct step *s)
{
    output(s, s->a[1], sizeof(struct exo_audit_info));
}

void ep_create_in(struct step *s)
{
    struct m_object *zone = s->caps[0]->object;

    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, zone, 3) || m_tight(s, s->env->charged, 3), NOMEM);
    if (!m_refused(s))
        m_created_below(s, s->caps[0], m_new(EXO_TYPE_ENDPOINT, m_kernel_object(s->env, (uint64_t)s->result), zone), EXO_RIGHTS_ALL);
}

void zone_info(struct step *s)
{
    const struct zone *zone = (const struct zone *)s->caps[0]->object->kernel;
    uint64_t said[2];

    if (output(s, s->a[1], sizeof(said)) && m_read(s->env, said, s->a[1], sizeof(said)))
        REQUIRE(said[0] <= zone->used + 1 && said[1] <= zone->quota, "zone_info says %lu of %lu", said[0],
                said[1]);
}
