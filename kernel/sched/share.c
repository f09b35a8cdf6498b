/*
 * The tree of shares: which ready context is next. At each zone its policy chooses between the zone's own contexts, its slices and the zones below, on
 * down to a share; the contexts of a share take turns. Time that a server works for a client counts for the client's share, and the server waits in
 * that share's queues, so neither crowds of contexts nor calls to others buy a zone more than its part. Time used goes up the tree when somebody looks.
 */
#include <exo/string.h>

#include "policy.h"
#include "port.h"
#include "slice.h"

uint32_t sched_shares_linked;

static bool is_idle(const struct share *share)
{
    return list_empty(&share->ready[QUEUE_OWN]) && list_empty(&share->ready[QUEUE_SERVER]);
}

static struct share *share_at(struct entity *entity)
{
    return LIST_ENTRY(entity, struct share, entity);
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

/* The state that it has of an earlier policy means nothing to this one. */
void entity_greet(struct entity *entity)
{
    if (__builtin_expect(entity->era == entity->in->era, true))
        return;
    memset(&entity->node, 0, sizeof(*entity) - offsetof(struct entity, node));
    entity->era = entity->in->era;
}

__attribute__((noinline)) static void pay(struct share *share)
{
    uint64_t cycles = share->used - share->charged;

    share->charged = share->used;
    for (struct entity *entity = &share->entity; entity && entity->in; entity = entity->in->up) {
        if (chooser_is_alone(entity->in))
            continue;
        entity_greet(entity);
        entity->in->policy->charge(entity->in, entity, cycles);
    }
}

void share_pay(struct share *share)
{
    if (share->used != share->charged)
        pay(share);
}

/* Each CPU's time passes on one share; all others have paid. */
static void pay_up(void)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        share_pay(OF_CPU(cpu, struct share *, sched_share));
}

/* Time is settled. */
static void link_up(struct share *share)
{
    if (share->entity.gates)
        return;
    sched_cpu.share_alone = NULL;
    sched_shares_linked++;
    for (struct entity *entity = &share->entity; entity && entity->in && !entity->linked; entity = entity->in->up) {
        if (!chooser_is_alone(entity->in)) {
            entity_greet(entity);
            entity->in->policy->insert(entity->in, entity);
        }
        entity->linked = true;
        entity->in->linked++;
    }
}

static void unlink_up(struct share *share)
{
    pay_up();
    if (!share->entity.linked)
        return; /* its budget was used up */
    sched_cpu.share_alone = NULL;
    sched_shares_linked--;
    for (struct entity *entity = &share->entity; entity && entity->in; entity = entity->in->up) {
        if (!chooser_is_alone(entity->in))
            entity->in->policy->remove(entity->in, entity);
        entity->linked = false;
        if (--entity->in->linked > 0)
            return;
    }
}

static void entity_start(struct entity *entity, struct chooser *in, uint32_t weight)
{
    entity->in = in;
    entity->weight = weight;
    if (!in)
        return;
    entity->era = in->era - 1;
    if (in->children++ == 0)
        in->own = entity;
    else if (in->children == 2 && in->own->linked) {
        entity_greet(in->own);
        in->policy->insert(in->own->in, in->own);
    }
}

/* It is not linked. */
void entity_end(struct entity *entity)
{
    struct chooser *in = entity->in;

    pay_up();
    if (--in->children == 1 && in->own->linked)
        in->policy->remove(in, in->own);
}

void share_start(struct share *share, struct chooser *in, uint32_t weight)
{
    list_init(&share->ready[QUEUE_OWN]);
    list_init(&share->ready[QUEUE_SERVER]);
    entity_start(&share->entity, in, weight);
}

/* Of a zone. Its own contexts have the usual weight against what is below it. */
void chooser_start(struct chooser *chooser, struct entity *up, struct chooser *above, uint32_t weight)
{
    entity_start(up, above, weight);
    up->below = chooser;
    chooser->up = above ? up : NULL;
    chooser->depth = above ? (uint8_t)(above->depth + 1) : 0;
    chooser->policy = &stride_policy;
    chooser->policy->start(chooser, NULL);
}

/* Servers may still be waiting here for clients that have left the zone. */
static void move_queues(struct share *from, struct share *to)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct list *queue = &from->ready[kind], *end = &to->ready[kind];

        if (list_empty(queue))
            continue;
        if (!to->entity.linked)
            link_up(to);
        queue->next->previous = end->previous;
        end->previous->next = queue->next;
        queue->previous->next = end;
        end->previous = queue->previous;
        list_init(queue);
    }
}

/* Who waits here waits on `heir` from now on, and time that is running goes there. */
void share_end(struct share *share, struct share *heir)
{
    sched_settle();
    pay_up();
    sched_share_gone(share, heir);
    move_queues(share, heir);
    sched_cpu.share_alone = NULL;
    if (share->entity.linked)
        unlink_up(share);
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        if (OF_CPU(cpu, struct sched_cpu, sched_cpu).share_last == share)
            OF_CPU(cpu, struct sched_cpu, sched_cpu).share_last = NULL;
    entity_end(&share->entity);
}

bool entity_reweigh(struct entity *entity, uint64_t weight)
{
    bool linked = entity->linked;

    if (!entity->in || weight == 0 || weight > EXO_ZONE_WEIGHT_MAX)
        return false;
    sched_settle();
    pay_up();
    linked = linked && !chooser_is_alone(entity->in);
    if (linked)
        entity->in->policy->remove(entity->in, entity);
    entity->weight = (uint32_t)weight;
    if (linked)
        entity->in->policy->insert(entity->in, entity);
    return true;
}

/* ---- queues ------------------------------------------------------------------------------------------------------ */

static void insert(struct context *context, struct share *share, bool first)
{
    struct list *queue = &share->ready[QUEUE_OWN];

    if (context->sponsor && context->env->zone != context->sponsor->zone) {
        sched_cpu.share_alone = NULL;
        queue = &share->ready[QUEUE_SERVER];
    }
    list_insert_before(first ? queue->next : queue, &context->link);
}

/* The entities of two shares where their ways up part. */
static struct chooser *meet(const struct entity **first, const struct entity **second)
{
    while ((*first)->in != (*second)->in)
        if ((*first)->in->depth >= (*second)->in->depth)
            *first = (*first)->in->up;
        else
            *second = (*second)->in->up;
    return (*first)->in;
}

/*
 * Somebody becomes ready on another share than the one that is in use. If the policy says so, it does not wait for the end of the slice of time.
 */
static void consider(const struct share *share)
{
    const struct context *current = arch_current();
    const struct entity *ready = &share->entity, *running = current ? &share_of(current)->entity : ready;
    const struct chooser *chooser;

    if (ready == running || !ready->linked)
        return;
    chooser = meet(&ready, &running);
    if (running->era == chooser->era && chooser->policy->preempts(chooser, ready, running))
        sched_preempt();
}

__attribute__((noinline)) static void enqueue_elsewhere(struct context *context, struct share *share, bool first)
{
    sched_settle();
    pay_up();
    if (!share->entity.linked)
        link_up(share);
    consider(share);
    insert(context, share, first);
}

/* Whoever waits there is not chosen, and who runs there is stopped, until the gate is opened. */
void share_gate(struct share *share, unsigned gate)
{
    share->entity.gates |= (uint8_t)gate;
    share->special = true;
    if (share->entity.linked)
        unlink_up(share);
    sched_stop(share);
}

void share_open(struct share *share, unsigned gate)
{
    if (!(share->entity.gates & gate))
        return;
    share->entity.gates &= (uint8_t)~gate;
    if (share->entity.gates || is_idle(share))
        return;
    sched_settle();
    pay_up();
    link_up(share);
    consider(share);
    sched_needed = true;
}

void share_enqueue(struct context *context, bool first)
{
    struct share *share = share_of(context);
    const struct context *current = arch_current();

    if (!share->entity.linked || !current || share_of(current) != share)
        enqueue_elsewhere(context, share, first);
    else
        insert(context, share, first);
}

void share_dequeue(struct context *context)
{
    struct share *share = share_of(context);

    list_remove(&context->link);
    if (is_idle(share) && share->entity.linked && share != sched_cpu.share_last)
        unlink_up(share);
}

static struct context *take(struct share *share, struct list *queue)
{
    struct context *context = LIST_ENTRY(queue->next, struct context, link);

    list_remove(&context->link);
    sched_cpu.share_last = share;
    return context;
}

__attribute__((noinline)) static struct context *pick_among(void)
{
    struct chooser *chooser = &zones[0]->below;
    struct share *share;
    struct list *queue;

    pay_up();
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++) {
        struct share *picked = OF_CPU(cpu, struct sched_cpu, sched_cpu).share_last;

        if (picked && picked->entity.linked && is_idle(picked))
            unlink_up(picked);
    }
    sched_cpu.share_last = NULL;
    if (sched_shares_linked == 0)
        return NULL;
    for (;;) {
        struct entity *entity = chooser_is_alone(chooser) ? chooser->own : chooser->policy->first(chooser);

        if (!entity->below) {
            share = share_at(entity);
            break;
        }
        chooser = entity->below;
    }
    queue = &share->ready[QUEUE_OWN];
    if (!list_empty(&share->ready[QUEUE_SERVER])) { /* others wait for those; but the zone's own crowd gets on, too */
        share->turn ^= 1;
        if (share->turn || list_empty(queue))
            queue = &share->ready[QUEUE_SERVER];
    }
    return take(share, queue);
}

const struct context *share_peek(void)
{
    const struct share *last = sched_cpu.share_last;

    return last && !list_empty(&last->ready[QUEUE_OWN]) ? LIST_ENTRY(last->ready[QUEUE_OWN].next, const struct context, link) : NULL;
}

struct context *share_pick(void)
{
    struct share *last = sched_cpu.share_last;

    /* Mostly only one share has anybody ready, and no server waits there. */
    if (sched_shares_linked != 1 || !last || !last->entity.linked || list_empty(&last->ready[QUEUE_OWN]) || !list_empty(&last->ready[QUEUE_SERVER]))
        return pick_among();
    return take(last, &last->ready[QUEUE_OWN]);
}

bool share_before(const struct context *first, const struct context *second)
{
    const struct entity *one = &share_of(first)->entity, *other = &share_of(second)->entity;
    const struct chooser *chooser;

    if (one == other)
        return false;
    pay_up();
    chooser = meet(&one, &other);
    if (one->era != chooser->era || other->era != chooser->era)
        return false;
    return chooser->policy->before(chooser, one, other);
}

int64_t k_zone_weight(struct context *caller, struct capability *zone, uint64_t weight)
{
    (void)caller;
    return entity_reweigh(&((struct zone *)zone->object)->part, weight) ? 0 : -EXO_E_INVAL;
}
