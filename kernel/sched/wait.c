/*
 * Waiting on words: a context names up to EXO_WAIT_MAX words and the values that they still have, and sleeps. Sleepers are found by the physical address of
 * the word, so whoever maps the page can wake them. The frames are held meanwhile.
 */
#include "kernel.h"
#include "port.h"

#define BUCKETS 256u

static struct list buckets[BUCKETS];

void wait_init(void)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&buckets[i]);
}

static struct list *bucket_of(uint64_t physical)
{
    return &buckets[(physical >> 2 ^ physical >> 12) % BUCKETS];
}

/* Leaves the queues of the words and of the endpoint. */
static void leave(struct context *context)
{
    for (unsigned i = 0; i < context->wait_count; i++) {
        struct wait_node *node = &context->nodes[i];

        if (node->physical) {
            list_remove(&node->link);
            frame_drop(node->physical & ~(PAGE - 1ul));
        }
    }
    context->wait_count = 0;
    if (!list_empty(&context->wait_endpoints)) {
        list_remove(&context->wait_endpoints);
        object_drop(&context->endpoint->object);
        context->endpoint = NULL;
    }
}

void wait_cancel(struct context *context)
{
    timer_disarm(&context->wait_timer);
    if (context->state != CTX_WAIT)
        return;
    leave(context);
    context->state = CTX_STOPPED;
}

void wait_finish(struct context *context, int64_t result)
{
    if (context->state == CTX_RECEIVE)
        ipc_forget(context);
    timer_disarm(&context->wait_timer);
    if (context->state == CTX_WAIT)
        leave(context);
    arch_result(context, result);
    sched_ready(context);
}

unsigned wait_wake(uint64_t physical, unsigned most)
{
    struct list *bucket = bucket_of(physical);
    struct list *at = bucket->next;
    unsigned woken = 0;

    while (at != bucket && woken < most) {
        struct wait_node *node = LIST_ENTRY(at, struct wait_node, link);
        struct context *context = node->context;

        at = at->next;
        if (node->physical != physical)
            continue;
        wait_finish(context, node - context->nodes);
        woken++;
        at = bucket->next; /* the context may have had several nodes here */
    }
    return woken;
}

void wait_poke_pollers(struct endpoint *endpoint)
{
    while (!list_empty(&endpoint->pollers)) {
        struct context *context = LIST_ENTRY(endpoint->pollers.next, struct context, wait_endpoints);

        wait_finish(context, context->wait_count - 1);
    }
}

/* What a check of the predicates found: where each word is, and the endpoint. */
struct checked {
    struct exo_predicate predicates[EXO_WAIT_MAX];
    uint64_t physical[EXO_WAIT_MAX]; /* 0: the endpoint */
    struct endpoint *endpoint;
};

/* Index of a predicate that does not hold, -EXO_E_AGAIN if all hold, or an error. */
static int64_t check(struct context *caller, struct checked *checked, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct exo_predicate *predicate = &checked->predicates[i];

        if (predicate->kind == EXO_WAIT_ENDPOINT) {
            struct capability *slot;
            int64_t status = cap_resolve(caller->env, predicate->va, EXO_TYPE_ENDPOINT, EXO_RIGHT_RECV, &slot);

            if (status < 0)
                return status;
            if (!label_may(caller->env, slot->object, EXO_RULE_READ))
                return label_refused(caller->env, slot->object, EXO_AUDIT_READ);
            if (checked->endpoint || i + 1 != count)
                return -EXO_E_INVAL; /* one endpoint, and last */
            checked->endpoint = (struct endpoint *)slot->object;
            checked->physical[i] = 0;
            if (endpoint_has_message(checked->endpoint))
                return i;
        } else if (predicate->kind == EXO_WAIT_WORD) {
            const uint32_t *word;

            if (predicate->va % sizeof(*word))
                return -EXO_E_INVAL;
            word = space_reach(caller->env, predicate->va, ACCESS_READ);
            if (!word)
                return -EXO_E_FAULT;
            checked->physical[i] = direct_physical(word);
            if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != predicate->value)
                return i;
        } else {
            return -EXO_E_INVAL;
        }
    }
    return -EXO_E_AGAIN;
}

static void sleep_on(struct context *caller, const struct checked *checked, unsigned count)
{
    caller->state = CTX_WAIT;
    caller->wait_count = (uint16_t)count;
    for (unsigned i = 0; i < count; i++) {
        struct wait_node *node = &caller->nodes[i];

        node->physical = checked->physical[i];
        node->context = caller;
        if (!node->physical)
            continue;
        frame_hold(node->physical & ~(PAGE - 1ul));
        list_append(bucket_of(node->physical), &node->link);
    }
    if (checked->endpoint) {
        object_hold(&checked->endpoint->object);
        caller->endpoint = checked->endpoint;
        list_append(&checked->endpoint->pollers, &caller->wait_endpoints);
    }
}

int64_t k_wait(struct context *caller, uint64_t predicates, uint64_t count, uint64_t deadline_ns)
{
    struct checked checked;
    int64_t status;

    if (count > EXO_WAIT_MAX)
        return -EXO_E_INVAL;
    checked.endpoint = NULL;
    if (count > 0 && !space_read(caller->env, checked.predicates, predicates, count * sizeof(checked.predicates[0])))
        return -EXO_E_FAULT;
    status = check(caller, &checked, (unsigned)count);
    if (status != -EXO_E_AGAIN)
        return status;
    if (caller->upage->pending)
        return -EXO_E_EVENT;
    if (deadline_ns == EXO_DEADLINE_NOW)
        return -EXO_E_TIMEOUT;
    sleep_on(caller, &checked, (unsigned)count);
    if (deadline_ns != EXO_DEADLINE_NEVER)
        timer_arm(&caller->wait_timer, deadline_ns);
    return 0;
}

int64_t k_wake(struct context *caller, uint64_t word, uint64_t most)
{
    const uint32_t *place;

    if (word % sizeof(*place))
        return -EXO_E_ALIGN;
    place = space_reach(caller->env, word, ACCESS_READ);
    if (!place)
        return -EXO_E_FAULT;
    return wait_wake(direct_physical(place), most > UINT32_MAX ? UINT32_MAX : (unsigned)most);
}
