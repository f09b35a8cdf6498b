/*
 * Waiting on words: a context names up to EXO_WAIT_MAX words and the values that they still have, and sleeps. Sleepers are found by the physical address of
 * the word, so whoever maps the page can wake them. The frames are held meanwhile.
 *
 * A bucket is a digital tree: which way a word goes at each level is a bit of its address. Its depth is bounded by the bits of an address, so
 * nobody's sleepers make it long to find another's. The first sleeper on a word stands in the tree, later ones queue behind it.
 */
#include "waiting.h"

#include "port.h"

struct wait_node *wait_buckets[WAIT_BUCKETS];

/* Who is woken although nobody counts them, and has yet to be: by a word (links `same`), and by an endpoint (`wait_endpoints`). */
static struct list woken = {&woken, &woken}, poked = {&poked, &poked};

/* `heir` takes the node's place; it has none itself. */
static void inherit(struct wait_node *node, struct wait_node *heir)
{
    wait_put(node->place, heir);
    for (unsigned side = 0; side < 2; side++) {
        heir->child[side] = node->child[side];
        if (heir->child[side])
            heir->child[side]->place = &heir->child[side];
    }
}

__attribute__((noinline)) static void take_out(struct wait_node *node)
{
    struct wait_node *heir = node;

    work_done(1); /* here, since all but the last of many on a word come here, and one alone does not */
    if (!node->place) {
        list_remove(&node->same);
        return;
    }
    if (!list_empty(&node->same)) {
        heir = LIST_ENTRY(node->same.next, struct wait_node, same);
        list_remove(&node->same);
        inherit(node, heir);
        return;
    }
    while (heir->child[0] || heir->child[1]) /* any leaf below fits */
        heir = heir->child[0] ? heir->child[0] : heir->child[1];
    *heir->place = NULL;
    if (heir != node)
        inherit(node, heir);
}

/* Leaves the queues of the words and of the endpoint. */
static void leave(struct context *context)
{
    for (unsigned i = 0; i < context->wait_count; i++) {
        struct wait_node *node = &context->nodes[i];

        if (!node->physical)
            continue;
        if (wait_alone(node))
            *node->place = NULL; /* as a rule it is alone */
        else
            take_out(node);
        frame_drop(node->physical & ~(PAGE - 1ul));
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
    if (context->state == CTX_WAIT)
        leave(context);
    else
        ipc_break(context);
    timer_disarm(&context->wait_timer);
    arch_result(context, result);
    sched_ready(context);
}

static void finish(const struct wait_node *node)
{
    struct context *context = wait_context(node);

    wait_finish(context, node - context->nodes);
}

static unsigned wake(uint64_t physical, unsigned most)
{
    unsigned done = 0;

    for (; done < most && done < EXO_WAKE_MOST; done++) {
        struct wait_node *node = *wait_find(physical);

        if (!node)
            break;
        finish(node); /* its context may have had several nodes here */
    }
    return done;
}

void wait_wake_some(unsigned *most)
{
    while (*most > 0 && !list_empty(&woken)) {
        finish(LIST_ENTRY(woken.next, struct wait_node, same));
        work_spend(most, 1);
    }
    while (*most > 0 && !list_empty(&poked)) {
        struct context *context = LIST_ENTRY(poked.next, struct context, wait_endpoints);

        wait_finish(context, context->wait_count - 1);
        work_spend(most, 1);
    }
}

bool wait_all_woken(void)
{
    return list_empty(&woken) && list_empty(&poked);
}

/* Those that can be woken at this entry are, the others soon. */
static void wake_now(void)
{
    wait_wake_some(&reap_at_once);
    if (!wait_all_woken())
        reap_more();
}

void wait_wake_all(uint64_t physical)
{
    struct wait_node *first = *wait_find(physical);
    struct list all = {&all, &all};

    if (!first)
        return;
    list_append_all(&all, &first->same);
    take_out(first);
    first->place = NULL;
    list_prepend(&all, &first->same);
    list_append_all(&woken, &all);
    wake_now();
}

void wait_poke_pollers(struct endpoint *endpoint)
{
    if (__builtin_expect(list_empty(&endpoint->pollers), true))
        return;
    list_append_all(&poked, &endpoint->pollers);
    wake_now();
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
        if (!node->physical)
            continue;
        frame_hold(node->physical & ~(PAGE - 1ul));
        wait_enter(node);
    }
    if (checked->endpoint) {
        object_hold(&checked->endpoint->object);
        caller->endpoint = checked->endpoint;
        list_append(&checked->endpoint->pollers, &caller->wait_endpoints);
    }
}

static int64_t wait_until(struct context *caller, struct checked *checked, unsigned count, uint64_t deadline_ns)
{
    int64_t status;

    checked->endpoint = NULL;
    status = check(caller, checked, count);
    if (status != -EXO_E_AGAIN)
        return status;
    if (caller->upage->pending)
        return -EXO_E_EVENT;
    if (deadline_ns == EXO_DEADLINE_NOW)
        return -EXO_E_TIMEOUT;
    sleep_on(caller, checked, count);
    if (deadline_ns != EXO_DEADLINE_NEVER)
        timer_arm(&caller->wait_timer, deadline_ns);
    return 0;
}

int64_t k_wait(struct context *caller, uint64_t predicates, uint64_t count, uint64_t deadline_ns)
{
    struct checked checked;

    if (count > EXO_WAIT_MAX)
        return -EXO_E_INVAL;
    if (count > 0 && !space_read(caller->env, checked.predicates, predicates, count * sizeof(checked.predicates[0])))
        return -EXO_E_FAULT;
    return wait_until(caller, &checked, (unsigned)count, deadline_ns);
}

int64_t k_wait_word(struct context *caller, uint64_t word, uint64_t value, uint64_t deadline_ns, uint64_t also, uint64_t also_value)
{
    struct checked checked;

    checked.predicates[0] = (struct exo_predicate){.va = word, .value = (uint32_t)value, .kind = EXO_WAIT_WORD};
    checked.predicates[1] = (struct exo_predicate){.va = also, .value = (uint32_t)also_value, .kind = EXO_WAIT_WORD};
    return wait_until(caller, &checked, also ? 2 : 1, deadline_ns);
}

int64_t k_wake(struct context *caller, uint64_t word, uint64_t most)
{
    const uint32_t *place;

    if (word % sizeof(*place))
        return -EXO_E_ALIGN;
    place = space_reach(caller->env, word, ACCESS_READ);
    if (!place)
        return -EXO_E_FAULT;
    return wake(direct_physical(place), most > UINT32_MAX ? UINT32_MAX : (unsigned)most);
}
