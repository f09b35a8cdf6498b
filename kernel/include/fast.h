/*
 * The fast paths of calls and answers: what kernel/ipc/endpoint.c and kernel/sched/sched.c do together, by hand, for the common case. A call finds a receiver
 * that waits, an answer finds nobody else to serve; nothing has happened that the scheduler would look at; nobody has slices, time-outs or events. Then the
 * processor goes over with what is left of the turn and of the gas: who pays stays who paid, so there is nothing to settle but whose time it is.
 *
 * Each function checks first and changes nothing if the case is another one: it answers NULL, and the call goes the general way. Whoever is answered is the
 * current context from then on. The registers are the architecture's business: a message stays where it is. In line, because the entry code of a
 * port is all that uses them. The state that they leave is that which the general way leaves: the property tests have a model for both.
 */
#ifndef FAST_H
#define FAST_H
#include "grant.h"
#include "kernel.h"
#include "port.h"
#include "schedule.h"

#define FAST inline __attribute__((always_inline))
#define UNLIKELY(condition) __builtin_expect(condition, false)

/* In that state, and nothing special about it. */
static FAST bool fast_stands(const struct context *context, enum context_state state)
{
    return context->standing == (const struct context){.state = (uint8_t)state}.standing;
}

/* NULL: not an endpoint of the environment's that it may use so, or for another reason not a matter of one look. */
static FAST struct endpoint *fast_endpoint(struct env *env, uint64_t handle, uint64_t right, unsigned rule)
{
    const struct capability *slot = &env->slots[handle % SLOTS_INLINE];

    if (UNLIKELY(!cap_fits(slot, handle, EXO_TYPE_ENDPOINT, right) || !label_may(env, slot->object, rule)))
        return NULL;
    return (struct endpoint *)slot->object;
}

/* At the end of all checks: false if there is no gas for it. */
static FAST bool fast_pay(int64_t cost)
{
    if (UNLIKELY(*(const volatile __typeof__(gas_purse) *)&gas_purse < cost)) /* once compared, and once changed, in memory */
        return false;
    gas_purse -= cost;
    return true;
}

/* The current context, which does not run on, hands the processor over with its turn. */
static FAST void fast_switch(struct env *from, struct context *to)
{
    uint64_t now = arch_cycles();

    struct env *into = to->env;

    from->cpu_cycles += now;
    into->cpu_cycles -= now;
    from->calls++;
    to->standing = CTX_READY;
    sched_cpu.current = to;
    if (from != into)
        arch_space_load(&into->space);
}

#ifdef EXO_DEBUG
void fast_check(const struct context *from, const struct context *to);
#else
#define fast_check(from, to) ((void)0)
#endif

/* `travels`: the handle of a capability that goes with the message, which becomes the receiver's handle; or NULL. */
static FAST struct context *fast_call(struct context *caller, uint64_t handle, uint64_t *travels, uint64_t *badge)
{
    const int64_t cost = EXO_PRICE_SYSCALL + EXO_PRICE_IPC + EXO_PRICE_SWITCH;
    struct env *env = caller->env;
    struct endpoint *endpoint = fast_endpoint(env, handle, EXO_RIGHT_CALL, EXO_RULE_CALL);
    struct list *first;
    struct context *receiver;

    if (UNLIKELY(!endpoint || endpoint->receive_caps == 0))
        return NULL;
    first = endpoint->receivers.next;
    receiver = LIST_ENTRY(first, struct context, link);
    if (UNLIKELY(first == &endpoint->receivers || sched_needed || !fast_stands(caller, CTX_READY) || !fast_stands(receiver, CTX_RECEIVE) ||
                 receiver->upage->pending || !fast_pay(cost)))
        return NULL;
    if (travels && UNLIKELY(!cap_grant_plain(env, travels, receiver->env))) {
        KEPT(env); /* so the sum is made again, in memory */
        gas_purse += cost;
        return NULL;
    }
    *badge = env->slots[handle % SLOTS_INLINE].node->badge;
    sched_cpu.calls++;
    list_remove_first(&endpoint->receivers, first);
    receiver->endpoint = NULL;
    endpoint->object.references--; /* the capability is left */
    receiver->sponsor = gas_loaded;
    gas_loaded->owner->references++;
    receiver->client = caller;
    caller->server = receiver;
    caller->state = CTX_REPLY;
    fast_switch(env, receiver);
    fast_check(caller, receiver);
    return receiver;
}

static FAST struct context *fast_reply_recv(struct context *server, uint64_t handle)
{
    struct env *env = server->env;
    struct endpoint *endpoint = fast_endpoint(env, handle, EXO_RIGHT_RECV, EXO_RULE_READ);
    struct context *client = server->client;

    if (UNLIKELY(!endpoint || !client || endpoint->notified || !list_empty(&endpoint->callers) || !list_empty(&endpoint->deaths)))
        return NULL;
    if (UNLIKELY(sched_needed || !fast_stands(server, CTX_READY) || !fast_stands(client, CTX_REPLY) ||
                 (server->upage->pending | client->upage->pending) || gas_payer(client) != gas_loaded || gas_loaded->credit ||
                 !fast_pay(EXO_PRICE_SYSCALL + EXO_PRICE_SWITCH)))
        return NULL;
    sched_cpu.replies++;
    server->sponsor = NULL;
    gas_loaded->owner->references--; /* the client's, whose account it is, is left */
    server->client = NULL;
    client->server = NULL;
    server->state = CTX_RECEIVE;
    server->endpoint = endpoint;
    endpoint->object.references++;
    list_append(&endpoint->receivers, &server->link);
    fast_switch(env, client);
    fast_check(server, client);
    return client;
}

#endif
