/*
 * The fair policy, on two levels: zones by stride (Waldspurger and Weihl, 1995: the one that has had least time for its weight is next), contexts of a
 * zone in turn. Time that a server works for a client counts for the client's zone, and the server waits in the client's zone's queues, so
 * neither crowds of contexts nor calls to others buy a zone more than its share.
 */
#include "policy.h"
#include "port.h"

/* The whole processor, in parts; and more than any zone can be ahead: a pass that is older than its last wrap. */
#define WHOLE (1ull << 24)
#define AHEAD_MAX (1ll << 50)

#define PREEMPT_PART 2 /* of a slice: by so much one must be ahead to be interrupted */

enum { QUEUE_OWN, QUEUE_SERVER };

/* Shares with ready contexts, and at most one that was emptied by the last pick. */
static struct list runnable = {&runnable, &runnable};
static uint64_t pass_now;   /* of the share picked last */
static uint32_t tree_epoch; /* counts changes of zones and weights */

static struct share *share_of(const struct context *context)
{
    return &gas_payer(context)->zone->share;
}

void share_start(struct zone *zone, uint32_t weight)
{
    struct share *share = &zone->share;

    list_init(&share->ready[QUEUE_OWN]);
    list_init(&share->ready[QUEUE_SERVER]);
    list_init(&share->link);
    share->weight = weight;
    share->epoch = tree_epoch++;
    if (zone->parent)
        zone->parent->share.weights_below += weight;
}

/*
 * A zone has its weight's part of what the zone above has; that keeps for its own contexts what a zone of the usual weight would get. So a zone that
 * makes zones divides its part, whatever weights it gives them.
 */
static void renew_stride(struct share *share)
{
    const struct zone *zone = LIST_ENTRY(share, struct zone, share);
    uint64_t part = WHOLE * EXO_ZONE_WEIGHT / (EXO_ZONE_WEIGHT + (uint64_t)share->weights_below);

    for (; zone->parent; zone = zone->parent)
        part = part * zone->share.weight / (EXO_ZONE_WEIGHT + (uint64_t)zone->parent->share.weights_below);
    share->stride = (uint32_t)(WHOLE / (part ? part : 1));
    share->epoch = tree_epoch;
}

static bool is_idle(const struct share *share)
{
    return list_empty(&share->ready[QUEUE_OWN]) && list_empty(&share->ready[QUEUE_SERVER]);
}

/*
 * A share that slept keeps a slice's worth of what it did not use, no more, and pays nothing for a counter that wrapped meanwhile. Who runs may have
 * run alone for long, without being picked. If the share that comes has had clearly less than who runs, it does not wait for the slice's end: those
 * who sleep often, because they wait for a server, would otherwise never come to their part.
 */
__attribute__((noinline)) static void join(struct share *share)
{
    const struct context *current = arch_current();
    const struct share *running = current ? share_of(current) : share;
    int64_t ahead, credit;

    sched_settle();
    if (share->epoch != tree_epoch)
        renew_stride(share);
    credit = (int64_t)(sched_slice_cycles * share->stride);
    if (sched_runnable == 0 && (int64_t)(running->pass - pass_now) > 0)
        pass_now = running->pass;
    ahead = (int64_t)(share->pass - pass_now);
    if (ahead < -credit || ahead > AHEAD_MAX)
        share->pass = pass_now - (uint64_t)credit;
    list_append(&runnable, &share->link);
    if ((int64_t)(running->pass - share->pass) > (int64_t)(sched_slice_cycles / PREEMPT_PART * running->stride))
        sched_preempt();
}

static void insert(struct context *context, struct share *share, bool first)
{
    struct list *queue = &share->ready[context->sponsor && context->env->zone != context->sponsor->zone ? QUEUE_SERVER : QUEUE_OWN];

    list_insert_before(first ? queue->next : queue, &context->link);
}

__attribute__((noinline)) static void enqueue_joining(struct context *context, struct share *share, bool first)
{
    join(share);
    insert(context, share, first);
}

static void fair_enqueue(struct context *context, bool first)
{
    struct share *share = share_of(context);

    if (list_empty(&share->link))
        enqueue_joining(context, share, first);
    else
        insert(context, share, first);
}

static void fair_dequeue(struct context *context)
{
    struct share *share = share_of(context);

    list_remove(&context->link);
    if (is_idle(share))
        list_remove(&share->link);
}

/* The one that has had least; what is left without ready contexts is unlinked. */
static struct share *least(void)
{
    struct share *best = NULL;
    struct list *at = runnable.next;

    while (at != &runnable) {
        struct share *share = LIST_ENTRY(at, struct share, link);

        at = at->next;
        if (is_idle(share))
            list_remove(&share->link);
        else if (!best || (int64_t)(share->pass - best->pass) < 0)
            best = share;
    }
    return best;
}

static struct context *take(struct share *share, struct list *queue)
{
    struct context *context = LIST_ENTRY(queue->next, struct context, link);

    list_remove(&context->link);
    pass_now = share->pass;
    return context;
}

__attribute__((noinline)) static struct context *pick_among(void)
{
    struct share *share = least();
    struct list *queue;

    if (!share)
        return NULL;
    if (share->epoch != tree_epoch)
        renew_stride(share);
    queue = &share->ready[QUEUE_OWN];
    if (!list_empty(&share->ready[QUEUE_SERVER])) { /* others wait for those; but the zone's own crowd gets on, too */
        share->turn ^= 1;
        if (share->turn || list_empty(queue))
            queue = &share->ready[QUEUE_SERVER];
    }
    return take(share, queue);
}

static struct context *fair_pick(void)
{
    struct share *share = LIST_ENTRY(runnable.next, struct share, link);

    /* Mostly only one zone has anybody ready, and no server waits there. */
    if (runnable.next != runnable.previous || list_empty(&runnable) || list_empty(&share->ready[QUEUE_OWN]) ||
        !list_empty(&share->ready[QUEUE_SERVER]))
        return pick_among();
    return take(share, &share->ready[QUEUE_OWN]);
}

static bool fair_before(const struct context *first, const struct context *second)
{
    return (int64_t)(share_of(first)->pass - share_of(second)->pass) < 0;
}

static void fair_charge(struct zone *zone, uint64_t cycles)
{
    struct share *share = &zone->share;

    share->pass += cycles * share->stride;
}

const struct sched_policy fair_policy = {"fair", fair_enqueue, fair_dequeue, fair_pick, fair_before, fair_charge};

/* Servers may still be waiting here for clients that have left the zone. */
static void move_queues(struct share *from, struct share *to)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct list *queue = &from->ready[kind], *end = &to->ready[kind];

        if (list_empty(queue))
            continue;
        if (list_empty(&to->link))
            join(to);
        queue->next->previous = end->previous;
        end->previous->next = queue->next;
        queue->previous->next = end;
        end->previous = queue->previous;
        list_init(queue);
    }
    list_remove(&from->link);
}

void share_end(struct zone *zone)
{
    move_queues(&zone->share, &zone->parent->share);
    zone->parent->share.weights_below -= zone->share.weight;
    tree_epoch++;
}

int64_t k_zone_weight(struct context *caller, struct capability *capability, uint64_t weight)
{
    struct zone *zone = (struct zone *)capability->object;

    (void)caller;
    if (!zone->parent || weight == 0 || weight > EXO_ZONE_WEIGHT_MAX)
        return -EXO_E_INVAL;
    zone->parent->share.weights_below += (uint32_t)weight - zone->share.weight;
    zone->share.weight = (uint32_t)weight;
    tree_epoch++;
    return 0;
}
