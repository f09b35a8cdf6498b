/*
 * Waiting on words: a context names up to EXO_WAIT_MAX words and the values that they still have, and sleeps. Sleepers are found by the physical address of
 * the word, so whoever maps the page can wake them. The frames are held meanwhile.
 *
 * Some sleep while a condition holds (EXO_WAIT_IS and the like): it is looked at when they go to sleep, and when somebody wakes the word.
 *
 * Watches (sched/watch.c) wait at many places in the same way, and are told of a wake after those who sleep.
 *
 * A bucket is a digital tree: which way a word goes at each level is a bit of its address. Its depth is bounded by the bits of an address, so
 * nobody's sleepers make it long to find another's. The first sleeper on a word stands in the tree, later ones queue behind it.
 */
#include "waiting.h"

#include "port.h"

struct wait_node *wait_buckets[WAIT_BUCKETS];
unsigned wait_watched;

/* Who is woken although nobody counts them, and has yet to be: by a word (links `same`; watches, too), and by an endpoint (`wait_endpoints`). */
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

void wait_leave(struct wait_node *node)
{
    if (wait_alone(node))
        *node->place = NULL; /* as a rule it is alone */
    else
        take_out(node);
    frame_drop(node->physical & ~(PAGE - 1ul));
}

/* Leaves the queues of the words and of the endpoint. */
static void leave(struct context *context)
{
    for (unsigned i = 0; i < context->wait_count; i++)
        if (context->nodes[i].physical)
            wait_leave(&context->nodes[i]);
    context->wait_count = 0;
    context->tests = false;
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

/* The word is as the condition says. */
static bool holds_at(uint64_t physical, uint16_t test, uint32_t value)
{
    return test && wait_holds(test, __atomic_load_n((const uint32_t *)direct(physical & ~(uint64_t)WAIT_WATCHED), __ATOMIC_SEQ_CST), value);
}

/* Its condition still holds, so a wake is not for it. */
static bool sleeps_on(const struct wait_node *node)
{
    const struct context *context = wait_context(node);
    const struct watch *watch = wait_watch(node);
    ptrdiff_t i = node - context->nodes;

    if (__builtin_expect(!(node->physical & WAIT_WATCHED), true))
        return __builtin_expect(context->tests, false) && holds_at(node->physical, context->test[i], context->test_value[i]);
    i = node - watch->nodes;
    return holds_at(node->physical, watch->test[i], watch->test_value[i]);
}

/* Who stands behind `kept` in the word's line; NULL: nobody. `first` is the one in the tree. */
static struct wait_node *behind(struct wait_node *first, struct wait_node *kept)
{
    if (!kept)
        return first;
    return kept->same.next == &first->same ? NULL : LIST_ENTRY(kept->same.next, struct wait_node, same);
}

static unsigned wake_sleepers(uint64_t physical, unsigned most)
{
    struct wait_node *kept = NULL; /* who sleeps on, and all before it do */
    unsigned done = 0, looks = 0;

    while (done < most && done < EXO_WAKE_MOST) {
        struct wait_node *node = behind(*wait_find(physical), kept);

        if (!node)
            break;
        if (looks < EXO_WAIT_LOOKS && sleeps_on(node)) {
            looks++;
            kept = node;
            continue;
        }
        if (kept && wait_context(kept) == wait_context(node))
            kept = NULL; /* it leaves the line as well */
        finish(node); /* its context may have had several nodes here */
        done++;
    }
    return done;
}

void wait_wake_some(unsigned *most)
{
    while (*most > 0 && !list_empty(&woken)) {
        struct wait_node *node = LIST_ENTRY(woken.next, struct wait_node, same);

        if (node->physical & WAIT_WATCHED)
            watch_end(node);
        else
            finish(node);
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

/* Those among the first whose conditions still hold get in line again. */
static void keep_some(struct list *all)
{
    struct list *at = all->next;

    for (unsigned looks = 0; looks < EXO_WAIT_LOOKS && at != all; looks++) {
        struct wait_node *node = LIST_ENTRY(at, struct wait_node, same);

        at = at->next;
        if (sleeps_on(node)) {
            list_remove(&node->same);
            wait_enter(node);
        }
    }
}

/* One line, of sleepers or of watches. */
static void line_wakes_later(uint64_t physical)
{
    struct wait_node *first = *wait_find(physical);
    struct list all = {&all, &all};

    if (!first)
        return;
    list_append_all(&all, &first->same);
    take_out(first);
    first->place = NULL;
    list_prepend(&all, &first->same);
    keep_some(&all);
    list_append_all(&woken, &all);
}

void wait_wake_later(uint64_t physical)
{
    line_wakes_later(physical);
    if (wait_watched)
        line_wakes_later(physical | WAIT_WATCHED);
}

void wait_wake_all(uint64_t physical)
{
    wait_wake_later(physical);
    if (!wait_all_woken())
        wake_now();
}

static unsigned wake(uint64_t physical, unsigned most)
{
    unsigned done = wake_sleepers(physical, most);

    if (wait_watched && most > 0) {
        line_wakes_later(physical | WAIT_WATCHED);
        if (!wait_all_woken())
            wake_now();
    }
    return done;
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
    bool tests; /* one is more than WAIT_WORD */
};

/* Such a field there is, and it can have the value. */
static bool field_fits(const struct exo_predicate *predicate)
{
    uint32_t first = predicate->kind >> 8 & 0xff, bits = predicate->kind >> 16;

    if (bits == 0)
        return first == 0;
    return first < 32 && bits <= 32 - first && predicate->value <= UINT32_MAX >> (32 - bits);
}

int64_t wait_check_word(struct context *caller, const struct exo_predicate *predicate, uint64_t *physical)
{
    unsigned kind = predicate->kind & 0xff;
    uint32_t value;
    const uint32_t *word;

    if (predicate->kind != EXO_WAIT_WORD && (kind < EXO_WAIT_IS || kind > EXO_WAIT_BEHIND || !field_fits(predicate)))
        return -EXO_E_INVAL;
    if (predicate->va % sizeof(*word))
        return -EXO_E_INVAL;
    word = space_reach(caller->env, predicate->va, ACCESS_READ);
    if (!word)
        return -EXO_E_FAULT;
    *physical = direct_physical(word);
    value = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    return predicate->kind == EXO_WAIT_WORD ? value == predicate->value : wait_holds(wait_test(predicate->kind), value, predicate->value);
}

/* As wait_check_word, for the endpoint, which has no message. */
static int64_t check_endpoint(struct context *caller, uint64_t handle, struct checked *checked)
{
    struct capability *slot;
    int64_t status = cap_resolve(caller->env, handle, EXO_TYPE_ENDPOINT, EXO_RIGHT_RECV, &slot);

    if (status < 0)
        return status;
    if (!label_may(caller->env, slot->object, EXO_RULE_READ))
        return label_refused(caller->env, slot->object, EXO_AUDIT_READ);
    checked->endpoint = (struct endpoint *)slot->object;
    return !endpoint_has_message(checked->endpoint);
}

/* Index of a predicate that does not hold, -EXO_E_AGAIN if all hold, or an error. */
static int64_t check(struct context *caller, struct checked *checked, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct exo_predicate *predicate = &checked->predicates[i];
        int64_t holds;

        checked->physical[i] = 0;
        if (predicate->kind == EXO_WAIT_ENDPOINT) {
            holds = check_endpoint(caller, predicate->va, checked);
            if (holds >= 0 && i + 1 != count)
                return -EXO_E_INVAL; /* one endpoint, and last */
        } else {
            holds = wait_check_word(caller, predicate, &checked->physical[i]);
            checked->tests |= predicate->kind != EXO_WAIT_WORD;
        }
        if (holds <= 0)
            return holds < 0 ? holds : i;
    }
    return -EXO_E_AGAIN;
}

/* What wakes compare by. */
static void keep_tests(struct context *caller, const struct checked *checked, unsigned count)
{
    caller->tests = true;
    for (unsigned i = 0; i < count; i++) {
        caller->test[i] = wait_test_of(&checked->predicates[i]);
        caller->test_value[i] = checked->predicates[i].value;
    }
}

static void sleep_on(struct context *caller, const struct checked *checked, unsigned count)
{
    caller->state = CTX_WAIT;
    caller->wait_count = (uint8_t)count;
    if (checked->tests)
        keep_tests(caller, checked, count);
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
    checked->tests = false;
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
