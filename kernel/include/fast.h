/*
 * The fast paths of calls and answers, and of turns, sleeping on a word and waking: what kernel/ipc/endpoint.c, kernel/sched/wait.c and kernel/sched/sched.c
 * do together, by hand, for the common case. A call finds a receiver that waits, an answer finds nobody else to serve, who sleeps or yields leaves
 * somebody ready on the same share; nothing has happened that the scheduler would look at; nobody has slices, time-outs or events. Then the
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
#include "waiting.h"

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
    if (UNLIKELY(PER_CPU_TAKE(gas_purse, cost))) {
        gas_purse += cost;
        return false;
    }
    return true;
}

/* The current context, which does not run on, hands the processor over with its turn. */
static FAST void fast_switch(struct context *by, struct env *from, struct context *to, const struct env *into)
{
    uint64_t now = arch_cycles();

    from->calls++;
    to->standing = CTX_READY;
    sched_cpu.current = to;
    by->cpu_cycles += now;
    to->cpu_cycles -= now;
    if (from != into)
        arch_space_load(&to->arch);
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
    fast_switch(caller, env, receiver, receiver->env);
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
    fast_switch(server, env, client, client->env);
    fast_check(server, client);
    return client;
}

/* ---- turns, sleep and wake ---------------------------------------------------------------------------------------- */

/* The current context can leave the processor to that one, which is ready, at once: they have the same share and account, and nothing special. */
static FAST bool fast_can_change(const struct context *from, const struct env *here, const struct context *to, const struct env *there)
{
    return !sched_needed && fast_stands(from, CTX_READY) && fast_stands(to, CTX_READY) && !(from->upage->pending | to->upage->pending) &&
           !from->sponsor && !to->sponsor && (here == there || there->gas == gas_loaded) && !to->gas_woken;
}

/* The share that time passes on, if only there anybody is ready, and no server. */
static __attribute__((noinline)) struct share *fast_find_alone(void)
{
    struct share *share = sched_cpu.share_seen;

    if (sched_shares_linked != 1 || !share || share != sched_cpu.share_last || !list_empty(&share->ready[QUEUE_SERVER]))
        return NULL;
    sched_cpu.share_alone = share;
    return share;
}

/* Whom the scheduler would choose besides the current context; NULL: nobody, or not a matter of one look. */
static FAST struct context *fast_next(struct share **share)
{
    *share = sched_cpu.share_alone;
    if (UNLIKELY(!*share))
        *share = fast_find_alone();
    if (UNLIKELY(!*share || list_empty(&(*share)->ready[QUEUE_OWN])))
        return NULL;
    return LIST_ENTRY((*share)->ready[QUEUE_OWN].next, struct context, link);
}

/* The caller gets in line behind the others; who was taken out of it runs. */
static FAST void fast_change_places(struct share *share, struct context *caller, struct env *env, struct context *next, const struct env *into)
{
    list_append(&share->ready[QUEUE_OWN], &caller->link);
    sched_cpu.turns++;
    fast_switch(caller, env, next, into);
    fast_check(caller, next);
}

static FAST struct context *fast_yield(struct context *caller)
{
    struct share *share;
    struct context *next = fast_next(&share);
    struct env *env = caller->env, *into;

    if (UNLIKELY(!next))
        return NULL;
    into = next->env; /* both are kept at hand */
    if (UNLIKELY(!fast_can_change(caller, env, next, into) || !fast_pay(EXO_PRICE_SYSCALL + EXO_PRICE_SWITCH)))
        return NULL;
    list_remove_first(&share->ready[QUEUE_OWN], &next->link);
    fast_change_places(share, caller, env, next, into);
    return next;
}

static FAST struct context *fast_yield_to(struct context *caller, uint64_t handle)
{
    struct env *env = caller->env;
    const struct capability *slot = &env->slots[handle % SLOTS_INLINE];
    struct context *next = (struct context *)slot->object;

    if (UNLIKELY(!cap_fits(slot, handle, EXO_TYPE_CTX, EXO_RIGHT_START) || !label_may(env, slot->object, EXO_RULE_WRITE)))
        return NULL;
    if (UNLIKELY(list_empty(&next->link) || !sched_cpu.share_seen || !fast_can_change(caller, env, next, next->env) ||
                 !fast_pay(EXO_PRICE_SYSCALL + EXO_PRICE_SWITCH)))
        return NULL; /* the caller itself is in no list */
    list_remove(&next->link);
    fast_change_places(sched_cpu.share_seen, caller, env, next, next->env);
    return next;
}

/* A word of ordinary memory whose page's entry is at hand; NULL: perhaps not. */
static FAST uint32_t *fast_word(struct env *env, uint64_t va)
{
    uint64_t *entry = va % sizeof(uint32_t) ? NULL : space_entry_soon(&env->space, va), pte;

    if (UNLIKELY(!entry))
        return NULL;
    pte = *entry;
    if (UNLIKELY((pte & (PTE_PRESENT | PTE_UNCACHED | PTE_ACCESSED)) != (PTE_PRESENT | PTE_ACCESSED)))
        return NULL;
    return (uint32_t *)((char *)direct(pte_physical(pte)) + va % PAGE);
}

/* The word has that value; NULL: it has not, or it is not at hand. */
static FAST const uint32_t *fast_same(struct env *env, uint64_t va, uint64_t value)
{
    const uint32_t *word = fast_word(env, va);

    return word && __atomic_load_n(word, __ATOMIC_SEQ_CST) == (uint32_t)value ? word : NULL;
}

static FAST void fast_enter(struct wait_node *node, const uint32_t *word)
{
    node->physical = direct_physical(word);
    frame_of(node->physical)->references++;
    wait_enter(node);
}

static FAST struct context *fast_wait_word(struct context *caller, uint64_t va, uint64_t value, uint64_t deadline_ns, uint64_t also, uint64_t also_value)
{
    const uint32_t *word = fast_same(caller->env, va, value), *second = word;
    struct share *share;
    struct context *next;

    if (also)
        second = fast_same(caller->env, also, also_value);
    if (UNLIKELY(!word || !second || deadline_ns != EXO_DEADLINE_NEVER))
        return NULL;
    next = fast_next(&share);
    if (UNLIKELY(!next || !fast_can_change(caller, caller->env, next, next->env) || !fast_pay(EXO_PRICE_SYSCALL + EXO_PRICE_SWITCH)))
        return NULL;
    sched_runnable--;
    list_remove_first(&share->ready[QUEUE_OWN], &next->link);
    caller->wait_count = 1;
    fast_enter(&caller->nodes[0], word);
    if (also) {
        caller->wait_count = 2;
        fast_enter(&caller->nodes[1], second);
    }
    caller->state = CTX_WAIT;
    sched_cpu.turns++;
    fast_switch(caller, caller->env, next, next->env);
    fast_check(caller, next);
    return next;
}

/* A node that can leave its word by itself: nobody else sleeps there, and the frame stays somebody's. */
static FAST bool fast_leaves(const struct wait_node *node)
{
    return wait_alone(node) && frame_of(node->physical)->references > 1;
}

static FAST void fast_leave(struct wait_node *node)
{
    *node->place = NULL;
    frame_of(node->physical)->references--;
}

/* It sleeps on one word or two, and on nothing else, and can be woken at once. */
static FAST bool fast_wakes(const struct context *sleeper)
{
    return fast_stands(sleeper, CTX_WAIT) && sleeper->wait_count <= 2 && !timer_armed(&sleeper->wait_timer) && fast_leaves(&sleeper->nodes[0]) &&
           (sleeper->wait_count == 1 || (sleeper->nodes[1].physical && fast_leaves(&sleeper->nodes[1]))) && !sleeper->sponsor &&
           gas_payer(sleeper) == gas_loaded && sched_cpu.share_seen && sched_cpu.share_seen->entity.linked;
}

/* How many it woke, 0 or 1; -1: not a matter of one look. */
static FAST int64_t fast_wake(struct context *caller, uint64_t va, uint64_t most)
{
    const uint32_t *word = fast_word(caller->env, va);
    struct wait_node *node;
    struct context *sleeper;

    if (UNLIKELY(!word || caller->upage->pending || !fast_stands(caller, CTX_READY)))
        return -1;
    if (UNLIKELY(wait_watched && *wait_find(direct_physical(word) | WAIT_WATCHED)))
        return -1;
    node = *wait_find(direct_physical(word));
    if (!node) {
        if (UNLIKELY(!fast_pay(EXO_PRICE_SYSCALL)))
            return -1;
        sched_cpu.wakes++;
        caller->env->calls++;
        return 0;
    }
    sleeper = wait_context(node);
    if (UNLIKELY(most == 0 || !fast_wakes(sleeper) || !fast_pay(EXO_PRICE_SYSCALL)))
        return -1;
    fast_leave(&sleeper->nodes[0]);
    if (sleeper->wait_count == 2)
        fast_leave(&sleeper->nodes[1]);
    sleeper->wait_count = 0;
    sleeper->state = CTX_READY;
    arch_result(sleeper, node - sleeper->nodes);
    list_append(&sched_cpu.share_seen->ready[QUEUE_OWN], &sleeper->link);
    sched_runnable++;
    if (!sched_slice_armed)
        sched_needed = true;
    sched_cpu.wakes++;
    caller->env->calls++;
    return 1;
}

#endif
