/*
 * The reference model of slices and of turns given away: who is bound to what, whose share time is used on. Who runs next is the scheduler's choice,
 * but for one case: a turn that was given goes to whom it was given to.
 */
#include "model_calls.h"
#include "policy.h"
#include "slice.h"

static struct m_object *charged; /* slice whose time passes now; NULL: none */
static bool next_held;
static struct m_object *next;    /* held until the kernel has chosen: whom the turn was given to at this entry */

/* The slice that the context draws on now. */
struct m_object *m_slice_of(const struct m_object *context)
{
    return context->sponsor ? context->serves_on : context->slice;
}

static unsigned count(const struct m_object *slice, bool serving)
{
    unsigned found = 0;

    for (unsigned i = 0; i < m_objects.count; i++) {
        const struct m_object *context = m_objects.at[i];

        found += context->type == EXO_TYPE_CTX && (serving ? context->serves_on : context->slice) == slice;
    }
    return found;
}

/* The context works for somebody who draws on that slice; NULL: on none. */
void m_slice_serve(struct m_object *context, struct m_object *slice)
{
    context->serves_on = NULL;
    context->serves_on = slice && slice->input_count == 0 && count(slice, true) < EXO_SLICE_CONTEXTS ? slice : NULL;
}

/* Who is ready, but must not run: it draws on a slice that waits for another. */
bool m_is_gated(const struct m_object *context)
{
    const struct m_object *slice = m_slice_of(context);

    return slice && slice->input_count > 0;
}

static void cut(const struct m_object *input)
{
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *slice = m_objects.at[i];

        for (unsigned k = 0; k < slice->input_count; k++)
            if (slice->inputs[k] == input)
                slice->inputs[k--] = slice->inputs[--slice->input_count];
    }
}

void m_slice_end(const struct m_object *slice)
{
    cut(slice);
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *context = m_objects.at[i];

        if (context->slice == slice)
            context->slice = NULL;
        if (context->serves_on == slice)
            context->serves_on = NULL;
    }
    if (charged == slice)
        charged = NULL;
}

void m_slice_time(uint64_t passed_ns)
{
    if (charged)
        charged->used_ns += passed_ns;
}

/* The context has no part any more in another's turn. */
void m_turn_taken(struct m_object *context)
{
    if (context->donated)
        m_sponsor(context, NULL, NULL);
}

/* Who had a turn of somebody's has it no more, whether it ran or had no gas. */
void m_turn_over(void)
{
    for (unsigned i = 0; i < m_objects.count; i++)
        m_turn_taken(m_objects.at[i]);
}

/* Somebody was chosen to run. */
void m_turn_begins(const struct m_object *running)
{
    for (unsigned i = 0; i < m_objects.count; i++)
        if (m_objects.at[i] != running)
            m_turn_taken(m_objects.at[i]);
    charged = m_slice_of(running);
}

/* The kernel has chosen: what was held for the choice is not any more. */
void m_turn_chosen(void)
{
    if (next && next_held)
        m_drop(next);
    next_held = false;
}

void m_turn_check(void)
{
    for (unsigned i = 0; next && i < m_objects.count; i++) /* it may have ended at its first step */
        if (m_objects.at[i] == next)
            REQUIRE(m_current == next || next->state != CTX_READY, "the turn was given to context %lu, but %lu runs", next->kernel->id,
                    m_current->kernel->id);
    next = NULL;
}

void m_slice_compare(const struct m_object *object)
{
    if (object->type == EXO_TYPE_CTX) {
        const struct context *context = (const struct context *)object->kernel;

        REQUIRE(!context->slice == !object->slice && (!context->slice || &context->slice->object == object->slice->kernel),
                "context %lu is bound to another slice", object->kernel->id);
        REQUIRE(!context->serves_on == !object->serves_on && (!context->serves_on || &context->serves_on->object == object->serves_on->kernel),
                "context %lu works on another slice", object->kernel->id);
        REQUIRE(context->donated == object->donated && !context->sponsor == !object->sponsor, "context %lu has a turn of somebody's: %d",
                object->kernel->id, context->donated);
    } else if (object->type == EXO_TYPE_SLICE) {
        const struct slice *slice = (const struct slice *)object->kernel;

        REQUIRE(slice->bound_count == count(object, false) && slice->serving_count == count(object, true) && slice->share.entity.weight == object->weight &&
                slice->input_count == object->input_count && slice->done == object->done,
                "slice %lu has %u contexts and %u servers", object->kernel->id, slice->bound_count, slice->serving_count);
    }
}

/* ---- the calls ---- */

static bool bad_weight(uint64_t weight)
{
    return weight == 0 || weight > EXO_ZONE_WEIGHT_MAX;
}

void slice_make(struct step *s)
{
    struct m_object *zone = s->caps[0]->object, *slice;

    MUST(s, bad_weight(s->a[1]), INVAL);
    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, zone, 3) || m_tight(s, s->env->charged, 3), NOMEM);
    if (m_refused(s))
        return;
    slice = m_new(EXO_TYPE_SLICE, m_kernel_object(s->env, (uint64_t)s->result), zone);
    slice->weight = (uint32_t)s->a[1];
    m_created_below(s, s->caps[0], slice, EXO_RIGHTS_ALL);
}

void slice_bind(struct step *s)
{
    struct m_object *slice = s->caps[0]->object, *context = s->caps[1]->object;

    MUST(s, context->slice != slice && count(slice, false) >= EXO_SLICE_CONTEXTS, LIMIT);
    if (!m_refused(s))
        context->slice = slice;
}

void slice_unbind_call(struct step *s)
{
    if (!m_refused(s))
        s->caps[0]->object->slice = NULL;
}

void slice_weight(struct step *s)
{
    MUST(s, bad_weight(s->a[1]), INVAL);
    if (!m_refused(s))
        s->caps[0]->object->weight = (uint32_t)s->a[1];
}

void slice_info(struct step *s)
{
    const struct m_object *slice = s->caps[0]->object;
    struct exo_slice_info said;

    if (output(s, s->a[1], sizeof(said)) && m_read(s->env, &said, s->a[1], sizeof(said)))
        REQUIRE(said.zone == slice->zone->kernel->id && said.used_ns == slice->used_ns && said.weight == slice->weight &&
                said.bound == count(slice, false) && said.serving == count(slice, true),
                "slice_info says zone %lu, %lu ns of %lu, weight %u, %u contexts, %u servers", said.zone, said.used_ns, slice->used_ns, said.weight,
                said.bound, said.serving);
}

static bool waits_for(const struct m_object *slice, const struct m_object *input)
{
    bool found = slice == input;

    for (unsigned i = 0; i < slice->input_count && !found; i++)
        found = waits_for(slice->inputs[i], input);
    return found;
}

static unsigned outputs_of(const struct m_object *input)
{
    unsigned found = 0;

    for (unsigned i = 0; i < m_objects.count; i++) {
        const struct m_object *slice = m_objects.at[i];

        for (unsigned k = 0; k < slice->input_count; k++)
            found += slice->inputs[k] == input;
    }
    return found;
}

static bool is_input(const struct m_object *slice, const struct m_object *input)
{
    bool found = false;

    for (unsigned i = 0; i < slice->input_count; i++)
        found = found || slice->inputs[i] == input;
    return found;
}

void slice_after(struct step *s)
{
    struct m_object *slice = s->caps[0]->object, *input = s->caps[1]->object;
    uint64_t names[EXO_CIRCLE_MOST];

    MUST(s, slice->zone != input->zone || (slice->zone->policy != EXO_POLICY_DAG && slice->zone->policy != EXO_POLICY_HYBRID) || slice->done, INVAL);
    MUST(s, !s->must && is_input(slice, input), EXISTS);
    MUST(s, !s->must && (slice->input_count == EXO_TASK_EDGES || outputs_of(input) == EXO_TASK_EDGES), LIMIT);
    if (!s->must && waits_for(input, slice)) {
        if (m_wrote(s, s->env, s->a[2], sizeof(names)))
            MUST(s, true, CIRCLE);
        else
            MUST(s, true, FAULT);
        REQUIRE(s->must >> EXO_E_FAULT & 1 || !m_read(s->env, names, s->a[2], sizeof(names)) || names[0] == slice->kernel->id, "a circle is named otherwise");
    }
    MAY(s, m_tight(s, slice->zone, 3), NOMEM);
    if (m_refused(s) || input->done)
        return;
    slice->inputs[slice->input_count++] = input;
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *server = m_objects.at[i];

        if (server->serves_on == slice)
            server->serves_on = NULL;
    }
}

void slice_done(struct step *s)
{
    struct m_object *slice = s->caps[0]->object;

    MUST(s, slice->done || slice->input_count > 0, INVAL);
    if (m_refused(s))
        return;
    slice->done = true;
    cut(slice);
}

void zone_policy(struct step *s)
{
    struct m_object *zone = s->caps[0]->object;
    bool large = s->a[1] == EXO_POLICY_BEATTY || s->a[1] == EXO_POLICY_HYBRID;

    MUST(s, s->a[1] > EXO_POLICY_HYBRID, INVAL);
    MAY(s, large && m_tight(s, zone, 40), NOMEM);
    if (m_refused(s))
        return;
    zone->policy = s->a[1];
    REQUIRE(((const struct zone *)zone->kernel)->below.policy->number == s->a[1], "zone_policy set another policy");
}

void yield_to(struct step *s)
{
    struct m_object *context = s->caps[0]->object;

    MUST(s, context->state != CTX_READY || (context != s->caller && m_is_gated(context)), AGAIN);
    if (m_refused(s) || context == s->caller)
        return;
    m_hold(context);
    next = context;
    next_held = true;
    if (context->sponsor || (m_gas_payer(context) == m_gas_payer(s->caller) && m_slice_of(context) == m_slice_of(s->caller)))
        return;
    m_sponsor(context, m_gas_payer(s->caller), m_slice_of(s->caller));
    context->donated = true;
}
