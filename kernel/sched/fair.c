/*
 * The fair policy, on two levels: shares by stride (Waldspurger and Weihl, 1995: the one that has had least time for its weight is next), contexts of a
 * share in turn. Each zone has a share, and so has each slice (slice.c). Time that a server works for a client counts for the client's share, and the
 * server waits in that share's queues, so neither crowds of contexts nor calls to others buy a zone more than its part.
 */
#include "policy.h"
#include "port.h"
#include "slice.h"

/* The whole processor, in parts; and what a stride is to one part of them: fine enough for a percent of the whole. */
#define WHOLE (1ull << 30)
#define STRIDE_ONE 64u
/* Less than 1/2^18 of the processor counts as so much: else passes would wrap in seconds. */
#define STRIDE_MAX (1u << 24)
/* More than any share can be ahead: a pass that is older than its last wrap. */
#define AHEAD_MAX (1ll << 50)

#define PREEMPT_PART 2 /* of a slice of time: by so much one must be ahead to be interrupted */

enum { QUEUE_OWN, QUEUE_SERVER };

/* Shares with ready contexts, and at most one that was emptied by the last pick. */
static struct heap_node *runnable;
static uint64_t pass_now;   /* of the share picked last */
static uint32_t tree_epoch; /* counts changes of shares and weights */

static struct share *share_at(struct heap_node *node)
{
    return LIST_ENTRY(node, struct share, node);
}

static bool is_linked(const struct share *share)
{
    return share->node.place;
}

void share_start(struct share *share, struct share *parent, uint32_t weight)
{
    list_init(&share->ready[QUEUE_OWN]);
    list_init(&share->ready[QUEUE_SERVER]);
    share->parent = parent;
    share->weight = weight;
    share->epoch = tree_epoch++;
    if (parent)
        parent->weights_below += weight;
}

/*
 * A share has its weight's part of what the share above has; that keeps for its own contexts what one of the usual weight would get. So a zone that
 * makes zones and slices divides its part, whatever weights it gives them.
 */
static void renew_stride(struct share *share)
{
    uint64_t part = WHOLE * EXO_ZONE_WEIGHT / (EXO_ZONE_WEIGHT + share->weights_below), stride;

    for (const struct share *at = share; at->parent; at = at->parent)
        part = part * at->weight / (EXO_ZONE_WEIGHT + at->parent->weights_below);
    stride = part ? (WHOLE * STRIDE_ONE + part / 2) / part : STRIDE_MAX;
    share->stride = stride < STRIDE_MAX ? (uint32_t)stride : STRIDE_MAX;
    share->epoch = tree_epoch;
}

static bool is_idle(const struct share *share)
{
    return list_empty(&share->ready[QUEUE_OWN]) && list_empty(&share->ready[QUEUE_SERVER]);
}

/*
 * A share that slept keeps a slice's worth of what it did not use, no more, and pays nothing for a counter that wrapped meanwhile. Who runs may have
 * run alone for long, without being picked.
 */
static void join(struct share *share)
{
    const struct context *current = arch_current();
    const struct share *running = current ? share_of(current) : share;
    int64_t ahead, credit;

    sched_settle();
    if (share->epoch != tree_epoch)
        renew_stride(share);
    credit = (int64_t)(sched_slice_cycles * share->stride);
    if (sched_runnable == 0 && (int64_t)(running->node.key - pass_now) > 0)
        pass_now = running->node.key;
    ahead = (int64_t)(share->node.key - pass_now);
    if (ahead < -credit || ahead > AHEAD_MAX)
        share->node.key = pass_now - (uint64_t)credit;
    heap_insert(&runnable, &share->node);
}

static void insert(struct context *context, struct share *share, bool first)
{
    struct list *queue = &share->ready[context->sponsor && context->env->zone != context->sponsor->zone ? QUEUE_SERVER : QUEUE_OWN];

    list_insert_before(first ? queue->next : queue, &context->link);
}

/*
 * Somebody becomes ready on another share than the one that is in use. If that has had clearly less than who runs, it does not wait for the end of the slice of
 * time: those who sleep often, because they wait for a server, would otherwise never come to their part.
 */
__attribute__((noinline)) static void enqueue_elsewhere(struct context *context, struct share *share, bool first)
{
    const struct context *current = arch_current();
    const struct share *running = current ? share_of(current) : share;

    if (!is_linked(share))
        join(share);
    else
        sched_settle();
    if ((int64_t)(running->node.key - share->node.key) > (int64_t)(sched_slice_cycles / PREEMPT_PART * running->stride))
        sched_preempt();
    insert(context, share, first);
}

static void fair_enqueue(struct context *context, bool first)
{
    struct share *share = share_of(context);
    const struct context *current = arch_current();

    if (!is_linked(share) || !current || share_of(current) != share)
        enqueue_elsewhere(context, share, first);
    else
        insert(context, share, first);
}

static void fair_dequeue(struct context *context)
{
    struct share *share = share_of(context);

    list_remove(&context->link);
    if (is_idle(share) && is_linked(share))
        heap_remove(&share->node);
}

/* The one that has had least; what is left without ready contexts is taken out. */
static struct share *least(void)
{
    while (runnable && is_idle(share_at(runnable)))
        heap_remove(runnable);
    return runnable ? share_at(runnable) : NULL;
}

static struct context *take(struct share *share, struct list *queue)
{
    struct context *context = LIST_ENTRY(queue->next, struct context, link);

    list_remove(&context->link);
    pass_now = share->node.key;
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
    struct share *share = runnable ? share_at(runnable) : NULL;

    /* Mostly only one share has anybody ready, and no server waits there. */
    if (!share || runnable->child[0] || runnable->child[1] || list_empty(&share->ready[QUEUE_OWN]) || !list_empty(&share->ready[QUEUE_SERVER]))
        return pick_among();
    return take(share, &share->ready[QUEUE_OWN]);
}

static bool fair_before(const struct context *first, const struct context *second)
{
    return (int64_t)(share_of(first)->node.key - share_of(second)->node.key) < 0;
}

static void fair_charge(struct share *share, uint64_t cycles)
{
    share->used += cycles;
    share->node.key += cycles * share->stride;
    if (share->node.child[0] || share->node.child[1])
        heap_sink(&runnable, &share->node);
}

const struct sched_policy fair_policy = {"fair", fair_enqueue, fair_dequeue, fair_pick, fair_before, fair_charge};

/* Servers may still be waiting here for clients that have left the zone. */
static void move_queues(struct share *from, struct share *to)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct list *queue = &from->ready[kind], *end = &to->ready[kind];

        if (list_empty(queue))
            continue;
        if (!is_linked(to))
            join(to);
        queue->next->previous = end->previous;
        end->previous->next = queue->next;
        queue->previous->next = end;
        end->previous = queue->previous;
        list_init(queue);
    }
}

void share_end(struct share *share)
{
    sched_share_gone(share);
    move_queues(share, share->parent);
    if (is_linked(share))
        heap_remove(&share->node);
    share->parent->weights_below -= share->weight;
    tree_epoch++;
}

bool share_reweigh(struct share *share, uint64_t weight)
{
    if (!share->parent || weight == 0 || weight > EXO_ZONE_WEIGHT_MAX)
        return false;
    share->parent->weights_below += weight - share->weight;
    share->weight = (uint32_t)weight;
    tree_epoch++;
    return true;
}

int64_t k_zone_weight(struct context *caller, struct capability *zone, uint64_t weight)
{
    (void)caller;
    return share_reweigh(&((struct zone *)zone->object)->share, weight) ? 0 : -EXO_E_INVAL;
}
