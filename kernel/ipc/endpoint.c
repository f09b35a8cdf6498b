/*
 * Endpoints: calls go straight from caller to waiting receiver, registers only. A caller that finds nobody waiting queues, and so does who sends and wants
 * no answer; a receiver answers exactly the call that it received last. Notifications and the ends of environments arrive as messages from the
 * kernel; neither needs memory, so none is lost.
 */
#include "kernel.h"
#include "port.h"
#include "trace.h"

bool endpoint_has_message(const struct endpoint *endpoint)
{
    return endpoint->notified || !list_empty(&endpoint->callers) || !list_empty(&endpoint->deaths);
}

static void leave_endpoint(struct context *context)
{
    struct endpoint *endpoint = context->endpoint;

    if (!list_empty(&context->peers)) {
        struct context *next = LIST_ENTRY(context->peers.next, struct context, peers);

        list_remove(&context->peers);
        if (!list_empty(&context->link))
            list_append(&endpoint->callers, &next->link); /* its zone's next one, after those of other zones */
    }
    list_remove(&context->link);
    context->endpoint = NULL;
    object_drop(&endpoint->object);
}

static void enter_endpoint(struct context *context, struct endpoint *endpoint, enum context_state state)
{
    context->state = (uint8_t)state;
    context->endpoint = endpoint;
    object_hold(&endpoint->object);
}

/* Callers of a zone stand behind its first one, who alone is in the endpoint's list: however many call from a zone, it is one. */
static void queue_call(struct context *caller, struct endpoint *endpoint)
{
    const struct zone *zone = gas_payer(caller)->zone;

    enter_endpoint(caller, endpoint, CTX_CALL);
    for (struct list *at = endpoint->callers.next; at != &endpoint->callers; at = at->next) {
        struct context *first = LIST_ENTRY(at, struct context, link);

        if (gas_payer(first)->zone == zone) {
            list_append(&first->peers, &caller->peers);
            return;
        }
    }
    list_append(&endpoint->callers, &caller->link);
}

static void set_deadline(struct context *context, uint64_t deadline_ns)
{
    if (deadline_ns == EXO_DEADLINE_NEVER)
        return;
    context->timed = true;
    timer_arm(&context->wait_timer, deadline_ns);
}

static void drop_deadline(struct context *context)
{
    context->timed = false;
    timer_disarm(&context->wait_timer);
}

/* With an error, or 0: what it sent has been received. */
static void end_call(struct context *caller, int64_t result)
{
    drop_deadline(caller);
    arch_result(caller, result);
    sched_ready(caller);
}

/* Nobody waits for an answer from this context any more. */
static void abandon_client(struct context *server)
{
    struct context *client = server->client;

    if (!client)
        return;
    server->client = NULL;
    client->server = NULL;
    gas_sponsor(server, NULL);
    end_call(client, -EXO_E_PEER);
}

void ipc_break(struct context *context)
{
    drop_deadline(context);
    switch ((enum context_state)context->state) {
    case CTX_CALL:
    case CTX_RECEIVE: leave_endpoint(context); break;
    case CTX_REPLY:
        context->server->client = NULL;
        gas_sponsor(context->server, NULL);
        context->server = NULL;
        break;
    case CTX_STOPPED:
    case CTX_READY:
    case CTX_WAIT:
    case CTX_DRY:
    case CTX_DEAD: break;
    }
    context->state = CTX_STOPPED;
}

void ipc_forget(struct context *context)
{
    ipc_break(context);
    abandon_client(context);
}

/* Hands the caller's message over, who then waits for the answer unless it sends. Fails only for a capability that cannot travel. */
static int64_t hand_over(struct context *caller, struct context *receiver)
{
    int64_t handle = 0;

    if (caller->transfer) {
        handle = cap_grant(caller->env, caller->transfer, receiver->env);
        if (handle < 0)
            return handle;
    }
    TRACE(EXO_TRACE_IPC_RECEIVE, caller->sends, receiver, caller->object.id, 0);
    arch_message_copy(receiver, caller);
    arch_message_badge(receiver, caller->badge);
    arch_result(receiver, caller->sends ? EXO_MESSAGE_SENT : handle ? EXO_MESSAGE_CAP : 0);
    if (caller->sends)
        return 0;
    if (handle)
        arch_message_set_word(receiver, 4, (uint64_t)handle);
    receiver->client = caller;
    caller->server = receiver;
    caller->state = CTX_REPLY;
    gas_sponsor(receiver, caller);
    return 0;
}

static inline void pay_call(void)
{
    COUNT_ONE(counters.ipc_calls);
    gas_charge(EXO_PRICE_IPC);
}

enum kind { CALLS, CALLS_WITH_CAPABILITY, SENDS };

static int64_t do_call(struct context *caller, struct capability *capability, enum kind kind, uint64_t deadline_ns)
{
    bool with_capability = kind == CALLS_WITH_CAPABILITY;
    struct endpoint *endpoint = (struct endpoint *)capability->object;
    struct capability *slot;
    struct context *receiver;
    int64_t status;

    if (endpoint->receive_caps == 0)
        return -EXO_E_PEER;
    caller->badge = capability->node->badge;
    caller->transfer = with_capability ? arch_message_word(caller, 4) : 0;
    if (with_capability && caller->transfer == 0)
        return -EXO_E_BADSLOT;
    caller->sends = kind == SENDS;
    TRACE(EXO_TRACE_IPC_CALL, kind, caller, list_empty(&endpoint->receivers) ? 0 : LIST_ENTRY(endpoint->receivers.next, struct context, link)->object.id,
          caller->badge);
    if (list_empty(&endpoint->receivers)) {
        /* Found now, so that the caller hears of it at once. */
        status = with_capability ? cap_resolve(caller->env, caller->transfer, CAP_ANY, EXO_RIGHT_COPY, &slot) : 0;
        if (status == 0 && deadline_ns == EXO_DEADLINE_NOW)
            status = -EXO_E_TIMEOUT;
        if (status < 0)
            return status;
        pay_call();
        queue_call(caller, endpoint);
        set_deadline(caller, deadline_ns);
        wait_poke_pollers(endpoint);
        return 0;
    }
    receiver = LIST_ENTRY(endpoint->receivers.next, struct context, link);
    status = hand_over(caller, receiver);
    if (status < 0)
        return status;
    pay_call();
    leave_endpoint(receiver);
    drop_deadline(receiver);
    if (kind == SENDS) {
        sched_ready(receiver);
        return 0;
    }
    set_deadline(caller, deadline_ns);
    receiver->state = CTX_READY;
    sched_switch(receiver);
    return 0;
}

int64_t k_ep_call(struct context *caller, struct capability *endpoint, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    (void)w0, (void)w1, (void)w2, (void)w3, (void)w4; /* they stay in the registers */
    return do_call(caller, endpoint, CALLS, EXO_DEADLINE_NEVER);
}

int64_t k_ep_call_until(struct context *caller, struct capability *endpoint, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                        uint64_t deadline_ns)
{
    (void)w0, (void)w1, (void)w2, (void)w3;
    return do_call(caller, endpoint, CALLS, deadline_ns);
}

int64_t k_ep_call_cap(struct context *caller, struct capability *endpoint, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                      uint64_t w4)
{
    (void)w0, (void)w1, (void)w2, (void)w3, (void)w4;
    return do_call(caller, endpoint, CALLS_WITH_CAPABILITY, EXO_DEADLINE_NEVER);
}

int64_t k_ep_call_cap_until(struct context *caller, struct capability *endpoint, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t deadline_ns,
                            uint64_t handle)
{
    (void)w0, (void)w1, (void)w2, (void)handle;
    return do_call(caller, endpoint, CALLS_WITH_CAPABILITY, deadline_ns);
}

int64_t k_ep_send(struct context *caller, struct capability *endpoint, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                  uint64_t deadline_ns)
{
    (void)w0, (void)w1, (void)w2, (void)w3;
    return do_call(caller, endpoint, SENDS, deadline_ns);
}

static void message_from_kernel(struct context *receiver, uint64_t kind, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t words[5] = {kind, a, b, c, d};

    arch_message_set(receiver, EXO_BADGE_KERNEL, words);
    arch_result(receiver, 0);
}

/* The first caller of the zone that has had least of the processor. */
static struct context *next_caller(struct endpoint *endpoint)
{
    struct context *best = LIST_ENTRY(endpoint->callers.next, struct context, link);

    for (struct list *at = best->link.next; at != &endpoint->callers; at = at->next) {
        struct context *caller = LIST_ENTRY(at, struct context, link);

        if (sched_before(caller, best))
            best = caller;
    }
    return best;
}

/* The end of an environment that stands first among those to be told of; counted. */
static struct env *take_death(struct endpoint *endpoint)
{
    struct env *env = LIST_ENTRY(endpoint->deaths.next, struct env, death_link);

    list_remove(&env->death_link);
    env->note_queued = 0;
    return env;
}

/* Nor do bits that come again and again: after some it is a caller's turn. */
static bool is_bits_turn(const struct endpoint *endpoint)
{
    return endpoint->notified && (!endpoint->calls_next || list_empty(&endpoint->callers));
}

/* Gives the receiver a message that is there already; false if there is none. */
static bool take_message(struct context *receiver, struct endpoint *endpoint)
{
    if (!list_empty(&endpoint->deaths)) {
        struct env *env = take_death(endpoint);

        message_from_kernel(receiver, EXO_NOTE_DEATH, env->death_cookie, env->death_reason, env->death_address, env->death_pc);
        object_drop(&env->object);
        return true;
    }
    if (is_bits_turn(endpoint)) {
        message_from_kernel(receiver, EXO_NOTE_NOTIFY, endpoint->notified, 0, 0, 0);
        endpoint->notified = 0;
        endpoint->calls_next = true;
        return true;
    }
    endpoint->calls_next = false;
    while (!list_empty(&endpoint->callers)) {
        struct context *caller = next_caller(endpoint);
        int64_t status;

        leave_endpoint(caller);
        status = hand_over(caller, receiver);
        if (status < 0 || caller->sends)
            end_call(caller, status);
        if (status == 0)
            return true;
    }
    return false;
}

/* A receiver that waits gets what has just arrived. */
static void serve_receiver(struct endpoint *endpoint)
{
    struct context *receiver;

    if (list_empty(&endpoint->receivers)) {
        wait_poke_pollers(endpoint);
        return;
    }
    receiver = LIST_ENTRY(endpoint->receivers.next, struct context, link);
    if (take_message(receiver, endpoint)) {
        leave_endpoint(receiver);
        drop_deadline(receiver);
        sched_ready(receiver);
    }
}

void endpoint_notify(struct endpoint *endpoint, uint64_t bits)
{
    endpoint->notified |= bits;
    if (endpoint->notified)
        serve_receiver(endpoint);
}

void endpoint_death(struct env *env)
{
    if (!env->death || env->note_queued || env->death->receive_caps == 0)
        return;
    env->note_queued = 1;
    object_hold(&env->object);
    list_append(&env->death->deaths, &env->death_link);
    serve_receiver(env->death);
}

bool endpoint_close_some(struct endpoint *endpoint, unsigned *most)
{
    for (; *most > 0 && !list_empty(&endpoint->callers); work_spend(most, 1)) {
        struct context *caller = LIST_ENTRY(endpoint->callers.next, struct context, link);

        leave_endpoint(caller);
        end_call(caller, -EXO_E_PEER);
    }
    for (; *most > 0 && !list_empty(&endpoint->deaths); work_spend(most, 1))
        object_drop(&take_death(endpoint)->object);
    return list_empty(&endpoint->callers) && list_empty(&endpoint->deaths);
}

void endpoint_caps_changed(struct endpoint *endpoint, int change)
{
    endpoint->receive_caps += (uint32_t)change;
    if (endpoint->receive_caps > 0)
        return; /* once it is 0 it stays so: nothing that could receive is left to derive from */
    object_hold(&endpoint->object); /* its callers may hold the last references */
    if (endpoint_close_some(endpoint, &reap_at_once))
        object_drop(&endpoint->object);
    else
        reap_add(&endpoint->object);
}

void endpoint_free(struct object *object)
{
    object_free(object, sizeof(struct endpoint));
}

/* `above`: by virtue of which capability, or NULL. */
static int64_t make_endpoint(struct context *caller, struct zone *zone, const struct capability *above)
{
    struct endpoint *endpoint = object_new(zone, EXO_TYPE_ENDPOINT, sizeof(*endpoint));
    int64_t handle;

    if (!endpoint)
        return -EXO_E_NOMEM;
    list_init(&endpoint->link);
    list_init(&endpoint->callers);
    list_init(&endpoint->receivers);
    list_init(&endpoint->pollers);
    list_init(&endpoint->deaths);
    handle = above ? cap_insert_below(caller->env, above, &endpoint->object, EXO_RIGHTS_ALL)
                   : cap_insert(caller->env, 0, &endpoint->object, EXO_RIGHTS_ALL, 0);
    object_drop(&endpoint->object);
    return handle;
}

int64_t k_ep_create(struct context *caller)
{
    return make_endpoint(caller, caller->env->zone, NULL);
}

int64_t k_ep_create_in(struct context *caller, struct capability *zone)
{
    return make_endpoint(caller, (struct zone *)zone->object, zone);
}

/* Waits for a message, which is not there; `direct`: who runs meanwhile, or NULL. */
static void block_receive(struct context *receiver, struct endpoint *endpoint, uint64_t deadline_ns, struct context *direct)
{
    enter_endpoint(receiver, endpoint, CTX_RECEIVE);
    list_append(&endpoint->receivers, &receiver->link);
    set_deadline(receiver, deadline_ns);
    sched_switch(direct);
}

int64_t k_ep_recv(struct context *caller, struct capability *capability, uint64_t deadline_ns)
{
    struct endpoint *endpoint = (struct endpoint *)capability->object;

    abandon_client(caller);
    if (take_message(caller, endpoint))
        return 0;
    if (deadline_ns == EXO_DEADLINE_NOW)
        return -EXO_E_TIMEOUT;
    if (caller->upage->pending)
        return -EXO_E_EVENT;
    block_receive(caller, endpoint, deadline_ns, NULL);
    return 0;
}

/* Answers the caller's client; the client, now ready but in no queue, or NULL. */
static struct context *answer(struct context *server)
{
    struct context *client = server->client;

    if (!client)
        return NULL;
    TRACE(EXO_TRACE_IPC_REPLY, 0, server, client->object.id, 0);
    server->client = NULL;
    client->server = NULL;
    drop_deadline(client);
    gas_sponsor(server, NULL);
    arch_message_copy(client, server);
    arch_message_badge(client, 0);
    arch_result(client, 0);
    client->state = CTX_READY;
    return client;
}

int64_t k_ep_reply_recv(struct context *caller, struct capability *capability, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                        uint64_t w4)
{
    struct endpoint *endpoint = (struct endpoint *)capability->object;
    struct context *client = answer(caller);

    (void)w0, (void)w1, (void)w2, (void)w3, (void)w4;
    if (take_message(caller, endpoint)) {
        if (client)
            sched_ready(client);
        return 0;
    }
    if (caller->upage->pending) {
        if (client)
            sched_ready(client);
        return -EXO_E_EVENT;
    }
    block_receive(caller, endpoint, EXO_DEADLINE_NEVER, client);
    return 0;
}

/* An answer without receiving: its words are arguments like any other call's, one register before those of messages. */
static int64_t do_reply(struct context *caller, const uint64_t words[5], bool with_capability)
{
    struct context *client = caller->client;
    int64_t handle = 0;

    if (!client)
        return -EXO_E_PEER;
    if (with_capability) {
        handle = cap_grant(caller->env, words[4], client->env);
        if (handle < 0)
            return handle;
    }
    client = answer(caller);
    arch_message_set(client, 0, words);
    if (with_capability) {
        arch_message_set_word(client, 4, (uint64_t)handle);
        arch_result(client, EXO_MESSAGE_CAP);
    }
    sched_ready_first(client);
    return 0;
}

int64_t k_ep_reply(struct context *caller, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    return do_reply(caller, (const uint64_t[5]){w0, w1, w2, w3, w4}, false);
}

int64_t k_ep_reply_cap(struct context *caller, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    return do_reply(caller, (const uint64_t[5]){w0, w1, w2, w3, w4}, true);
}

int64_t k_ep_notify(struct context *caller, struct capability *capability, uint64_t bits)
{
    (void)caller;
    gas_charge(EXO_PRICE_IPC);
    endpoint_notify((struct endpoint *)capability->object, bits);
    return 0;
}
