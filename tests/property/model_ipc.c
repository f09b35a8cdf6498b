/* The reference model of contexts: who sleeps where, who answers whom, and what each will find in its registers. */
#include "model.h"

#include <string.h>

static uint64_t order; /* of going to sleep and of arming timers */

void m_ready(struct m_object *context, int64_t result)
{
    context->state = CTX_READY;
    context->timer_armed = false; /* who runs waits for nothing */
    context->woken = true;
    context->result = (uint64_t)result;
    context->words_expected = false;
}

static void leave_words(struct m_object *context)
{
    for (unsigned i = 0; i < context->node_count; i++)
        if (context->nodes[i].physical)
            m_frame_drop(context->nodes[i].physical & ~(PAGE - 1ul));
    context->node_count = 0;
    if (context->waits_endpoint) {
        context->waits_endpoint = false;
        list_take(&context->endpoint->pollers, context);
        m_drop(context->endpoint);
        context->endpoint = NULL;
    }
}

static void leave_endpoint(struct m_object *context)
{
    struct m_object *endpoint = context->endpoint;

    REQUIRE(list_take(&endpoint->callers, context) || list_take(&endpoint->receivers, context), "model: context in no queue");
    context->endpoint = NULL;
    m_drop(endpoint);
}

static void enter_endpoint(struct m_object *context, struct m_object *endpoint, struct m_list *queue, enum context_state state)
{
    context->state = (uint8_t)state;
    context->endpoint = endpoint;
    m_hold(endpoint);
    list_push(queue, context);
}

/* The account is the one that the client uses, or of whom it serves itself. */
void m_sponsor(struct m_object *server, struct m_object *owner, struct m_object *slice)
{
    struct m_object *before = server->sponsor;

    if (owner)
        m_hold(owner);
    server->sponsor = owner;
    server->donated = false;
    m_slice_serve(server, slice);
    if (before)
        m_drop(before);
}

/* Out of the call, or the receiving, that it waits in. */
static void leave_call(struct m_object *context)
{
    context->timer_armed = false;
    if (context->state == CTX_CALL || context->state == CTX_RECEIVE) {
        leave_endpoint(context);
    } else if (context->state == CTX_REPLY) {
        context->server->client = NULL;
        m_sponsor(context->server, NULL, NULL);
        context->server = NULL;
    }
}

void m_forget(struct m_object *context)
{
    leave_call(context);
    if (context->client) {
        struct m_object *client = context->client;

        context->client = NULL;
        m_sponsor(context, NULL, NULL);
        client->server = NULL;
        m_ready(client, -EXO_E_PEER);
    }
    context->state = CTX_STOPPED;
}

void m_finish(struct m_object *context, int64_t result)
{
    if (context->state == CTX_WAIT)
        leave_words(context);
    else
        leave_call(context); /* its own client, if it serves one, waits on */
    m_ready(context, result);
}

void m_context_kill(struct m_object *context)
{
    context->timer_armed = context->event_armed = false;
    if (context->state == CTX_WAIT) {
        leave_words(context);
        context->state = CTX_STOPPED;
    }
    m_turn_taken(context);
    m_forget(context);
    context->slice = NULL;
    context->state = CTX_DEAD;
    context->dead = true;
    context->woken = false;
    list_take(&context->env->contexts, context);
    m_frame_drop(context->upage_physical);
    if (context != m_current)
        m_drop(context);
}

void m_post(struct m_object *context, uint64_t bits)
{
    (void)bits; /* they are in the context's page, which is its own to change */
    if (context->state == CTX_WAIT || context->state == CTX_RECEIVE)
        m_finish(context, -EXO_E_EVENT);
}

/* Does the condition hold? What abi/exo.abi says of the kinds, in numbers wide enough. */
bool m_test_holds(uint32_t kind, uint32_t word, uint32_t value)
{
    unsigned first = kind >> 8 & 0xff, bits = kind >> 16 ? kind >> 16 : 32;
    uint64_t range = 1ul << bits, field = (uint64_t)word / (1ul << first) % range;

    switch (kind & 0xff) {
    case EXO_WAIT_IS: return field == value;
    case EXO_WAIT_IS_NOT: return field != value;
    case EXO_WAIT_BELOW: return field < value;
    case EXO_WAIT_FROM: return field >= value;
    case EXO_WAIT_BEHIND: return (field + range - value) % range >= range / 2;
    default: return false;
    }
}

void m_wake(uint64_t physical, uint64_t most, uint64_t *woken)
{
    m_wake_at(physical, *(const uint32_t *)direct(physical), most, woken);
}

static void wake_sleepers(uint64_t physical, uint32_t word, uint64_t most, uint64_t *woken)
{
    *woken = 0;
    while (*woken < most) {
        struct m_object *first = NULL;
        int64_t index = 0;

        for (unsigned i = 0; i < m_objects.count; i++) {
            struct m_object *context = m_objects.at[i];

            if (context->type != EXO_TYPE_CTX || context->state != CTX_WAIT || (first && first->sleep_order < context->sleep_order))
                continue;
            for (unsigned n = context->node_count; n-- > 0;)
                if (context->nodes[n].physical == physical && !m_test_holds(context->nodes[n].kind, word, context->nodes[n].value)) {
                    first = context;
                    index = n;
                }
        }
        if (!first)
            return;
        m_finish(first, index);
        ++*woken;
    }
}

void m_wake_at(uint64_t physical, uint32_t word, uint64_t most, uint64_t *woken)
{
    wake_sleepers(physical, word, most, woken);
    if (most > 0)
        m_watches_tell(physical, word);
}

static void poke_pollers(struct m_object *endpoint)
{
    while (endpoint->pollers.count > 0)
        m_finish(endpoint->pollers.at[0], list_object(&endpoint->pollers, 0)->node_count - 1);
}

/* ---- messages ---- */

/* What came of the capability that travelled with a message is seen in the registers; it must be right. 0 or an error. */
static int64_t travelled(struct step *s, struct m_object *from, struct m_object *to, uint64_t handle, uint64_t arrived, int64_t error)
{
    struct m_cap *cap;
    uint64_t must = m_resolve(from->env, handle, CAP_ANY, EXO_RIGHT_COPY, &cap);

    if (!exo_label_allows(from->env->label, to->env->label, EXO_RULE_GRANT))
        must |= ERROR_BIT(DENIED);
    if (cap && !m_may_derive(cap->node))
        must |= ERROR_BIT(LIMIT);

    if (error < 0) {
        uint64_t may = m_tight(s, to->env->charged, 3) ? ERROR_BIT(NOMEM) : 0;

        REQUIRE((must | may) >> -error & 1, "a message with capability %lx failed with %ld; allowed are errors %lx", handle, error, must | may);
        return error;
    }
    REQUIRE(must == 0, "capability %lx travelled; errors %lx were due", handle, must);
    {
        struct m_make make = m_derive(cap, cap->rights, cap->node->badge, EXO_DEADLINE_NEVER);

        m_inserted(to->env, arrived, &make);
    }
    return 0;
}

/* Hands over a call's message. `failed`: the error that the caller got, or 0. */
static int64_t hand_over(struct step *s, struct m_object *caller, struct m_object *receiver, int64_t failed)
{
    const struct exo_regs *got = &((struct context *)receiver->kernel)->arch.regs;

    if (caller->transfer && travelled(s, caller, receiver, caller->transfer, got->r9, failed) < 0)
        return failed;
    if (!caller->transfer && failed < 0)
        m_fail("a call without a capability was not handed over: %ld", failed);
    m_ready(receiver, caller->transfer ? EXO_MESSAGE_CAP : 0);
    memcpy(receiver->words, caller->words, sizeof(receiver->words));
    receiver->words[0] = caller->badge;
    receiver->words_expected = true;
    if (caller->sends) {
        receiver->result = EXO_MESSAGE_SENT;
        return 0;
    }
    if (caller->transfer)
        receiver->words[5] = got->r9;
    receiver->client = caller;
    m_sponsor(receiver, m_gas_payer(caller), m_slice_of(caller));
    caller->server = receiver;
    caller->state = CTX_REPLY;
    return 0;
}

/* Whether the kernel has already refused the call of a context that the model still sees queued. */
static int64_t kernel_failed(const struct m_object *caller)
{
    const struct context *context = (const struct context *)caller->kernel;

    return context->state == CTX_READY || context->state == CTX_STOPPED ? (int64_t)context->arch.regs.rax : 0;
}

static struct step *present; /* the call that is being judged */

/* Whose call the kernel took, or refused, next: which zone's comes first is the scheduler's business. */
static struct m_object *taken(const struct m_object *endpoint, const struct m_object *receiver)
{
    for (unsigned i = 0; i < endpoint->callers.count; i++) { /* those that it refused, it refused first */
        struct m_object *caller = endpoint->callers.at[i];

        if (caller->transfer && kernel_failed(caller) < 0)
            return caller;
    }
    for (unsigned i = 0; i < endpoint->callers.count; i++) {
        struct m_object *caller = endpoint->callers.at[i];
        const struct context *context = (const struct context *)caller->kernel;

        if (context->state == CTX_REPLY && &context->server->object == receiver->kernel)
            return caller;
        if (caller->sends && context->state != CTX_CALL) /* and goes on */
            return caller;
    }
    return endpoint->callers.at[0];
}

static bool take_message(struct m_object *receiver, struct m_object *endpoint)
{
    if (endpoint->deaths.count > 0) {
        struct m_object *env = endpoint->deaths.at[0];
        const uint64_t words[6] = {EXO_BADGE_KERNEL, EXO_NOTE_DEATH, env->cookie, env->reason, env->reason_address, env->reason_pc};

        list_take(&endpoint->deaths, env);
        env->note_queued = false;
        m_ready(receiver, 0);
        memcpy(receiver->words, words, sizeof(words));
        receiver->words_expected = true;
        m_drop(env);
        return true;
    }
    if (endpoint->notified && !(endpoint->calls_next && endpoint->callers.count > 0)) {
        const uint64_t words[6] = {EXO_BADGE_KERNEL, EXO_NOTE_NOTIFY, endpoint->notified, 0, 0, 0};

        endpoint->notified = 0;
        endpoint->calls_next = true;
        m_ready(receiver, 0);
        memcpy(receiver->words, words, sizeof(words));
        receiver->words_expected = true;
        return true;
    }
    endpoint->calls_next = false;
    while (endpoint->callers.count > 0) {
        struct m_object *caller = taken(endpoint, receiver);
        int64_t failed = caller->transfer ? kernel_failed(caller) : 0;

        leave_endpoint(caller);
        if (hand_over(present, caller, receiver, failed) == 0) {
            if (caller->sends)
                m_ready(caller, 0);
            return true;
        }
        m_ready(caller, failed);
    }
    return false;
}

void m_serve(struct m_object *endpoint)
{
    struct m_object *receiver;

    if (endpoint->receivers.count == 0) {
        poke_pollers(endpoint);
        return;
    }
    receiver = endpoint->receivers.at[0];
    m_hold(endpoint);
    if (take_message(receiver, endpoint)) {
        leave_endpoint(receiver);
        receiver->timer_armed = false;
    }
    m_drop(endpoint);
}

void m_notify(struct m_object *endpoint, uint64_t bits)
{
    endpoint->notified |= bits;
    if (endpoint->notified)
        m_serve(endpoint);
}

void m_receive_caps_changed(struct m_object *endpoint, int change)
{
    endpoint->receive_caps += (uint32_t)change;
    if (endpoint->receive_caps > 0)
        return;
    while (endpoint->callers.count > 0) {
        struct m_object *caller = endpoint->callers.at[0];

        leave_endpoint(caller);
        m_ready(caller, -EXO_E_PEER);
    }
    while (endpoint->deaths.count > 0) {
        struct m_object *env = endpoint->deaths.at[0];

        list_take(&endpoint->deaths, env);
        env->note_queued = false;
        m_drop(env);
    }
}

/* ---- the calls ---- */

void ipc_present(struct step *s)
{
    present = s;
}

/* What the caller's registers hold while it is in a call: the kernel leaves arguments where they are. */
static void keep_words(struct step *s)
{
    memcpy(s->caller->words, s->a, sizeof(s->a));
}

/* Centuries are as good as each other. */
static uint64_t last_deadline(uint64_t deadline_ns)
{
    return deadline_ns < INT64_MAX ? deadline_ns : INT64_MAX;
}

static void set_deadline(struct m_object *context, uint64_t deadline)
{
    if (deadline == EXO_DEADLINE_NEVER)
        return;
    context->timer_armed = true;
    context->timer_ns = last_deadline(deadline);
    context->timer_order = ++order;
}

void call_ep_call(struct step *s)
{
    struct m_object *endpoint = s->caps[0]->object, *caller = s->caller;
    uint32_t number = s->number + EXO_CALL_BASE;
    bool with_capability = number == EXO_CALL_EP_CALL_CAP || number == EXO_CALL_EP_CALL_CAP_UNTIL, sends = number == EXO_CALL_EP_SEND;
    uint64_t deadline = number == EXO_CALL_EP_CALL_UNTIL || sends      ? s->a[5]
                        : number == EXO_CALL_EP_CALL_CAP_UNTIL ? s->a[4]
                                                               : EXO_DEADLINE_NEVER;
    struct m_cap *travels;

    MUST(s, endpoint->receive_caps == 0, PEER);
    MUST(s, endpoint->receive_caps != 0 && endpoint->receivers.count == 0 && deadline == EXO_DEADLINE_NOW, TIMEOUT);
    if (with_capability)
        s->must |= m_resolve(s->env, s->a[5], CAP_ANY, EXO_RIGHT_COPY, &travels);
    if (s->must) {
        m_refused(s);
        return;
    }
    if (s->result == 0) /* what cannot be handed over costs nothing */
        m_gas_work(EXO_PRICE_IPC);
    keep_words(s);
    caller->badge = s->caps[0]->node->badge;
    caller->transfer = with_capability ? s->a[5] : 0;
    caller->sends = sends;
    if (endpoint->receivers.count == 0) {
        enter_endpoint(caller, endpoint, &endpoint->callers, CTX_CALL);
        set_deadline(caller, deadline);
        poke_pollers(endpoint);
        return;
    }
    m_hold(endpoint);
    if (hand_over(s, caller, endpoint->receivers.at[0], s->blocked ? 0 : s->result) == 0) {
        struct m_object *receiver = endpoint->receivers.at[0];

        leave_endpoint(receiver);
        receiver->timer_armed = false;
        if (!sends)
            set_deadline(caller, deadline);
    }
    m_drop(endpoint);
}

static void block_receive(struct step *s, struct m_object *endpoint, uint64_t deadline)
{
    enter_endpoint(s->caller, endpoint, &endpoint->receivers, CTX_RECEIVE);
    set_deadline(s->caller, deadline);
}

static void receive(struct step *s, uint64_t deadline)
{
    struct m_object *endpoint = s->caps[0]->object;

    m_hold(endpoint);
    if (take_message(s->caller, endpoint)) {
        REQUIRE(!s->blocked && s->result == (int64_t)s->caller->result, "a message was there, but receiving answered %ld", s->result);
    } else if (s->pending || deadline == EXO_DEADLINE_NOW) {
        MUST(s, s->pending, EVENT);
        MUST(s, deadline == EXO_DEADLINE_NOW, TIMEOUT);
        m_refused(s);
    } else {
        block_receive(s, endpoint, deadline);
    }
    m_drop(endpoint);
}

void call_ep_recv(struct step *s)
{
    if (s->caller->client) { /* whoever waited for an answer from here waits in vain */
        struct m_object *client = s->caller->client;

        s->caller->client = NULL;
        m_sponsor(s->caller, NULL, NULL);
        client->server = NULL;
        m_ready(client, -EXO_E_PEER);
    }
    receive(s, s->a[1]);
}

static void answer(struct m_object *server, const uint64_t words[6])
{
    struct m_object *client = server->client;

    if (!client)
        return;
    server->client = NULL;
    m_sponsor(server, NULL, NULL);
    client->server = NULL;
    m_ready(client, 0);
    client->words_expected = true;
    client->words[0] = 0; /* the badge register */
    memcpy(client->words + 1, words + 1, 5 * sizeof(uint64_t));
}

void call_ep_reply_recv(struct step *s)
{
    answer(s->caller, s->a);
    receive(s, EXO_DEADLINE_NEVER);
}

void call_ep_reply(struct step *s)
{
    bool with_capability = s->number == EXO_CALL_EP_REPLY_CAP - EXO_CALL_BASE;
    struct m_object *client = s->caller->client;
    uint64_t words[6];
    struct m_cap *travels;

    MUST(s, !client, PEER);
    if (client && with_capability) {
        s->must |= m_resolve(s->env, s->a[4], CAP_ANY, EXO_RIGHT_COPY, &travels);
        MAY(s, m_tight(s, client->env->charged, 3), NOMEM);
        MUST(s, travels && !m_may_derive(travels->node), LIMIT);
        MUST(s, !exo_label_allows(s->env->label, client->env->label, EXO_RULE_GRANT), DENIED);
    }
    if (m_refused(s))
        return;
    memcpy(words + 1, s->a, 5 * sizeof(uint64_t));
    words[0] = 0;
    if (with_capability) {
        words[5] = ((struct context *)client->kernel)->arch.regs.r9;
        travelled(s, s->caller, client, s->a[4], words[5], 0);
    }
    answer(s->caller, words);
    client->result = with_capability ? EXO_MESSAGE_CAP : 0;
}

/* ---- waiting ---- */

/* Such a condition on a word there is. */
bool m_predicate_known(const struct exo_predicate *predicate)
{
    unsigned kind = predicate->kind & 0xff, first = predicate->kind >> 8 & 0xff, bits = predicate->kind >> 16;

    if (predicate->kind == EXO_WAIT_WORD)
        return true;
    if (kind < EXO_WAIT_IS || kind > EXO_WAIT_BEHIND)
        return false;
    return bits == 0 ? first == 0 : first + bits <= 32 && predicate->value < 1ul << bits;
}

void call_wait(struct step *s)
{
    struct m_object *caller = s->caller, *endpoint = NULL;
    uint64_t count = s->number == EXO_CALL_WAIT_WORD - EXO_CALL_BASE ? 1 + (s->a[3] != 0) : s->a[1];

    MUST(s, count > EXO_WAIT_MAX, INVAL);
    if (!s->must && count > 0)
        MUST(s, !s->input_valid, FAULT);
    if (s->must) {
        m_refused(s);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        const struct exo_predicate *predicate = &s->predicates[i];
        bool holds;

        if (predicate->kind == EXO_WAIT_ENDPOINT) {
            struct m_cap *cap;

            s->must |= m_resolve(s->env, predicate->va, EXO_TYPE_ENDPOINT, EXO_RIGHT_RECV, &cap);
            MUST(s, i + 1 != count, INVAL);
            MUST(s, cap && !m_label_may(s, cap->object, EXO_RULE_READ), DENIED);
            endpoint = cap ? cap->object : NULL;
            holds = endpoint && !endpoint->notified && !endpoint->callers.count && !endpoint->deaths.count;
            caller->nodes[i] = (struct m_word){0};
        } else {
            bool known = m_predicate_known(predicate);

            MUST(s, !known || predicate->va % 4, INVAL);
            MUST(s, known && predicate->va % 4 == 0 && !m_readable(s->env, predicate->va, 1), FAULT);
            holds = predicate->kind == EXO_WAIT_WORD ? s->predicate_word[i] == predicate->value
                                                     : known && m_test_holds(predicate->kind, s->predicate_word[i], predicate->value);
            if (!s->must)
                caller->nodes[i] = (struct m_word){m_page(s->env, predicate->va)->physical + predicate->va % PAGE, predicate->kind, predicate->value};
        }
        if (s->must) {
            m_refused(s);
            return;
        }
        if (!holds) {
            REQUIRE(!s->blocked && s->result == (int64_t)i, "wait answered %ld; predicate %lu does not hold", s->result, i);
            return;
        }
    }
    MUST(s, s->pending, EVENT);
    MUST(s, s->a[2] == EXO_DEADLINE_NOW, TIMEOUT);
    if (s->must) {
        m_refused(s);
        return;
    }
    caller->state = CTX_WAIT;
    caller->node_count = (unsigned)count;
    caller->sleep_order = ++order;
    for (uint64_t i = 0; i < count; i++)
        if (caller->nodes[i].physical)
            m_frame_hold(caller->nodes[i].physical & ~(PAGE - 1ul));
    if (endpoint) {
        m_hold(endpoint);
        caller->endpoint = endpoint;
        caller->waits_endpoint = true;
        list_push(&endpoint->pollers, caller);
    }
    if (s->a[2] != EXO_DEADLINE_NEVER) {
        caller->timer_armed = true;
        caller->timer_ns = last_deadline(s->a[2]);
        caller->timer_order = ++order;
    }
}

void call_timer_set(struct step *s)
{
    s->caller->event_armed = s->a[0] != EXO_DEADLINE_NEVER;
    s->caller->event_ns = last_deadline(s->a[0]);
    s->caller->event_order = ++order;
    s->caller->event_bits = (uint32_t)s->a[1];
}

/* ---- time ---- */

void m_expire(uint64_t now_ns)
{
    for (;;) {
        struct m_object *first = NULL;
        uint64_t best = now_ns, best_order = UINT64_MAX;
        bool is_event = false;

        for (unsigned i = 0; i < m_objects.count; i++) {
            struct m_object *context = m_objects.at[i];

            if (context->type != EXO_TYPE_CTX)
                continue;
            if (context->timer_armed && (context->timer_ns < best || (context->timer_ns == best && context->timer_order < best_order))) {
                first = context, best = context->timer_ns, best_order = context->timer_order, is_event = false;
            }
            if (context->event_armed && (context->event_ns < best || (context->event_ns == best && context->event_order < best_order))) {
                first = context, best = context->event_ns, best_order = context->event_order, is_event = true;
            }
        }
        if (!first)
            return;
        if (is_event) {
            first->event_armed = false;
            m_post(first, first->event_bits);
        } else {
            m_finish(first, -EXO_E_TIMEOUT);
        }
    }
}

void m_ran(struct m_object *context)
{
    m_gas_runs(context, context != m_current);
    m_turn_begins(context);
    if (context != m_current) {
        struct m_object *before = m_current;

        m_current = context;
        if (before->state == CTX_DEAD) /* kept since then */
            m_drop(before);
    }
}
