/* The fast paths of calls and answers (kernel/include/fast.h): that they are taken in the common case, and in no other. */
#include "cases.h"

#include <string.h>

/* A server that waits at its endpoint, and what both call that. */
static struct pair {
    struct context *client, *server;
    struct case_child child;
    uint64_t endpoint, there;
} pair;

static void start_pair(uint64_t zone)
{
    pair.client = case_self();
    pair.endpoint = MUST_DO(EP_CREATE);
    pair.child = case_child(zone);
    pair.server = pair.child.context;
    pair.there = case_give(&pair.child, pair.endpoint);
    case_become(pair.server);
    (void)DO(EP_RECV, pair.there, EXO_DEADLINE_NEVER);
    case_become(pair.client);
}

static void check_words(const struct context *context, uint64_t first, uint64_t badge)
{
    const struct exo_regs *regs = &context->arch.regs;

    REQUIRE(case_self() == context && regs->rax == 0 && regs->rdi == badge, "context %lu runs", case_self()->object.id);
    REQUIRE(regs->rsi == first && regs->rdx == first + 1 && regs->r10 == first + 2 && regs->r8 == first + 3 && regs->r9 == first + 4,
            "the message is another one");
}

/* There and back; says how many of the two went the fast way. */
static unsigned round_trip(void)
{
    uint64_t before = host_fast;

    (void)DO(EP_CALL, pair.endpoint, 1, 2, 3, 4, 5);
    case_become(pair.server);
    check_words(pair.server, 1, 0);
    REQUIRE(pair.client->state == CTX_REPLY && pair.client->server == pair.server && pair.server->client == pair.client, "nobody is served");
    (void)DO(EP_REPLY_RECV, pair.there, 11, 12, 13, 14, 15);
    case_become(pair.client);
    check_words(pair.client, 11, 0);
    REQUIRE(pair.server->state == CTX_RECEIVE && !pair.server->client && !pair.server->sponsor, "the server does not wait");
    return (unsigned)(host_fast - before);
}

static void must_be(unsigned fast)
{
    unsigned found = round_trip();

    REQUIRE(found == fast, "%u of the two went the fast way, not %u", found, fast);
    case_check();
}

CASE(fast_round, "a call and its answer go the fast way, again and again")
{
    start_pair(ZONE);
    for (unsigned i = 0; i < 10; i++)
        must_be(2);
}

CASE(fast_zones, "so do they between zones")
{
    start_pair(case_zone(300, EXO_LABEL_TOP));
    must_be(2);
}

CASE(fast_rights, "the fast way refuses what the general one does")
{
    uint64_t before;

    start_pair(ZONE);
    before = host_fast;
    REFUSED(EP_CALL, RIGHTS, MUST_DO(CAP_DERIVE, SELF, 0, pair.endpoint, ~EXO_RIGHT_CALL, 0, EXO_DEADLINE_NEVER));
    REFUSED(EP_REPLY_RECV, RIGHTS, MUST_DO(CAP_DERIVE, SELF, 0, pair.endpoint, ~EXO_RIGHT_RECV, 0, EXO_DEADLINE_NEVER));
    REFUSED(EP_CALL, STALE, pair.endpoint + (1ul << 16));
    REFUSED(EP_CALL, BADSLOT, pair.endpoint + (1ul << 48));
    REFUSED(EP_CALL, BADSLOT, pair.endpoint + (1ul << 49));
    REFUSED(EP_CALL, BADSLOT, pair.endpoint + SLOTS_INLINE); /* which has the same place in the first page of slots */
    REFUSED(EP_CALL, BADSLOT, 0);
    REFUSED(EP_CALL, TYPE, SELF);
    REQUIRE(host_fast == before, "a refused call went the fast way");
    must_be(2);
}

CASE(fast_time, "a capability with a time goes the general way, and none when that is over")
{
    uint64_t whole, timed;

    start_pair(ZONE);
    whole = pair.endpoint;
    timed = MUST_DO(CAP_DERIVE, SELF, 0, whole, EXO_RIGHTS_ALL, 0, host_cycles + 1000);
    pair.endpoint = timed;
    must_be(1);
    host_cycles += 1000;
    REFUSED(EP_CALL, EXPIRED, timed);
    pair.endpoint = whole;
    must_be(2);
}

CASE(fast_gas, "with too little gas in the purse they go the general way")
{
    start_pair(ZONE);
    gas_purse = EXO_PRICE_SYSCALL + EXO_PRICE_IPC + EXO_PRICE_SWITCH - 1;
    must_be(0); /* the switch itself is not refused: it leaves a debt, which the answer finds */
    gas_purse = EXO_PRICE_SYSCALL + EXO_PRICE_IPC + EXO_PRICE_SWITCH;
    must_be(1);
    gas_purse = 2 * EXO_PRICE_SYSCALL + EXO_PRICE_IPC + 2 * EXO_PRICE_SWITCH;
    must_be(2);
    REQUIRE(gas_purse == 0, "%ld is left", gas_purse);
}

CASE(fast_capability, "so does a call with a capability, if it can travel; else all is as before")
{
    uint64_t gift, fixed, before;
    struct capability *slot;

    start_pair(ZONE);
    gift = MUST_DO(SERVICE_CREATE, EXO_TYPE_SERVICE);
    fixed = MUST_DO(CAP_DERIVE, SELF, 0, gift, EXO_RIGHTS_ALL & ~EXO_RIGHT_COPY, 0, EXO_DEADLINE_NEVER);
    before = host_fast;
    gas_purse = 10000;
    REFUSED(EP_CALL_CAP, RIGHTS, pair.endpoint, 0, 0, 0, 0, fixed);
    REFUSED(EP_CALL_CAP, BADSLOT, pair.endpoint, 0, 0, 0, 0, 0);
    REFUSED(EP_CALL_CAP, STALE, pair.endpoint, 0, 0, 0, 0, gift + (1ul << 16));
    REFUSED(EP_CALL_CAP, BADSLOT, pair.endpoint, 0, 0, 0, 0, gift + SLOTS_INLINE);
    REQUIRE(host_fast == before && gas_purse == 10000 - 4 * EXO_PRICE_SYSCALL && pair.server->state == CTX_RECEIVE, "a refused call did something");
    (void)DO(EP_CALL_CAP, pair.endpoint, 1, 2, 3, 4, gift);
    case_become(pair.server);
    REQUIRE(host_fast == before + 1 && pair.server->arch.regs.rax == EXO_MESSAGE_CAP && pair.server->arch.regs.r8 == 4, "it did not go the fast way");
    REQUIRE(cap_resolve(pair.server->env, pair.server->arch.regs.r9, EXO_TYPE_SERVICE, EXO_RIGHT_COPY, &slot) == 0, "nothing arrived");
    case_check();
}

CASE(fast_slice, "who has a slice goes the general way, and its server with it")
{
    uint64_t slice;

    start_pair(ZONE);
    slice = MUST_DO(SLICE_MAKE, ZONE, 100);
    (void)MUST_DO(SLICE_BIND, slice, CTX);
    must_be(0);
    (void)MUST_DO(SLICE_UNBIND, CTX);
    must_be(2);
}

CASE(fast_deadline, "a receiver with a deadline is reached the general way")
{
    start_pair(ZONE);
    (void)DO(EP_CALL, pair.endpoint);
    case_become(pair.server);
    (void)DO(EP_REPLY, 0, 0, 0, 0, 0);
    (void)DO(EP_RECV, pair.there, host_cycles + 1000000);
    case_become(pair.client);
    must_be(1);
    must_be(2);
}

CASE(fast_event, "who has an event gets it")
{
    start_pair(ZONE);
    pair.server->upage->masked = 1; /* its own page: it writes what it likes there */
    pair.server->upage->pending = 1;
    (void)DO(EP_CALL, pair.endpoint, 1, 2, 3, 4, 5);
    case_become(pair.server);
    check_words(pair.server, 1, 0);
    (void)DO(EP_REPLY_RECV, pair.there, 11, 12, 13, 14, 15);
    case_become(pair.server);
    REQUIRE(pair.server->state == CTX_READY && (int64_t)pair.server->arch.regs.rax == -EXO_E_EVENT, "the server missed its event");
    pair.server->upage->pending = 0;
    (void)DO(EP_RECV, pair.there, EXO_DEADLINE_NEVER);
    case_become(pair.client);
    check_words(pair.client, 11, 0);
    must_be(2);
}

CASE(fast_queue, "a server with somebody else to serve is not sent to sleep")
{
    struct case_child other;
    uint64_t there;

    start_pair(ZONE);
    other = case_child(ZONE);
    there = case_give(&other, pair.endpoint);
    (void)DO(EP_CALL, pair.endpoint, 1, 2, 3, 4, 5);
    check_words(pair.server, 1, 0);
    case_become(other.context);
    (void)DO(EP_CALL, there, 21, 22, 23, 24, 25);
    case_become(pair.server);
    (void)DO(EP_REPLY_RECV, pair.there, 11, 12, 13, 14, 15);
    case_become(pair.server);
    check_words(pair.server, 21, 0);
    (void)DO(EP_REPLY_RECV, pair.there, 0, 0, 0, 0, 0);
    case_become(pair.client);
    check_words(pair.client, 11, 0);
}

CASE(fast_notified, "nor is one with a notification")
{
    start_pair(ZONE);
    (void)DO(EP_CALL, pair.endpoint, 1, 2, 3, 4, 5);
    case_become(pair.server);
    (void)MUST_DO(EP_NOTIFY, pair.there, 4);
    (void)DO(EP_REPLY_RECV, pair.there, 11, 12, 13, 14, 15);
    case_become(pair.server);
    REQUIRE(pair.server->state == CTX_READY && pair.server->arch.regs.rdi == EXO_BADGE_KERNEL && pair.server->arch.regs.rdx == 4,
            "the notification is lost");
}

CASE(fast_deaf, "a call through an endpoint that nobody can receive from any more finds PEER, though somebody still waits there")
{
    uint64_t before;

    start_pair(ZONE);
    pair.endpoint = MUST_DO(CAP_DERIVE, SELF, 0, pair.endpoint, EXO_RIGHT_CALL | EXO_RIGHT_COPY, 0, EXO_DEADLINE_NEVER);
    before = host_fast;
    for (unsigned i = 1; i < SLOTS_INLINE; i++) { /* all that can receive */
        struct capability *slot = &pair.client->env->slots[i];

        if (slot->object && slot->object->type == EXO_TYPE_ENDPOINT && slot->rights & EXO_RIGHT_RECV)
            (void)MUST_DO(CAP_DELETE, cap_handle(slot));
        slot = &pair.server->env->slots[i];
        if (slot->object && slot->object->type == EXO_TYPE_ENDPOINT)
            cap_clear(pair.server->env, slot);
    }
    REFUSED(EP_CALL, PEER, pair.endpoint);
    REQUIRE(host_fast == before && pair.server->state == CTX_RECEIVE, "it was called");
}

CASE(fast_nested, "a server that is a client, too: all four steps go the fast way, and who began pays for all")
{
    struct pair first, second;
    uint64_t second_there, before;

    start_pair(ZONE);
    first = pair;
    start_pair(ZONE);
    second = pair;
    second_there = case_give(&first.child, second.endpoint);
    before = host_fast;
    (void)DO(EP_CALL, first.endpoint, 1, 2, 3, 4, 5);
    case_become(first.server);
    (void)DO(EP_CALL, second_there, 21, 22, 23, 24, 25);
    case_become(second.server);
    check_words(second.server, 21, 0);
    REQUIRE(second.server->sponsor == gas_payer(first.client), "who began does not pay");
    (void)DO(EP_REPLY_RECV, second.there, 31, 32, 33, 34, 35);
    case_become(first.server);
    check_words(first.server, 31, 0);
    (void)DO(EP_REPLY_RECV, first.there, 11, 12, 13, 14, 15);
    case_become(first.client);
    check_words(first.client, 11, 0);
    REQUIRE(host_fast == before + 4, "%lu went the fast way", host_fast - before);
}

CASE(fast_account, "an answer to a client that has another account now goes the general way")
{
    uint64_t before, client_env;

    start_pair(ZONE);
    client_env = case_give(&pair.child, SELF);
    (void)DO(EP_CALL, pair.endpoint, 1, 2, 3, 4, 5);
    case_become(pair.server);
    (void)MUST_DO(GAS_SET, client_env, 0, 0, 0);
    case_become(pair.server);
    before = host_fast;
    (void)DO(EP_REPLY_RECV, pair.there, 11, 12, 13, 14, 15);
    REQUIRE(host_fast == before, "it went the fast way");
    case_become(pair.client);
    check_words(pair.client, 11, 0);
    must_be(1); /* the new account's purse is empty */
    must_be(2);
}

CASE(fast_stopped, "a client that was stopped in its call is not answered")
{
    uint64_t there;

    start_pair(ZONE);
    there = case_give(&pair.child, CTX);
    (void)DO(EP_CALL, pair.endpoint, 1, 2, 3, 4, 5);
    case_become(pair.server);
    (void)MUST_DO(CTX_STOP, there);
    (void)MUST_DO(CTX_START, there);
    (void)DO(EP_REPLY_RECV, pair.there, 11, 12, 13, 14, 15);
    case_become(pair.client);
    case_late(NUMBER(EP_CALL), -EXO_E_EVENT);
    must_be(2);
}
