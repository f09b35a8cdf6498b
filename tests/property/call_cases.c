/* Calls and what is sent: broken off, refused, or received late; those with a deadline, and with a capability. */
#include "cases.h"

/* A context that is stopped in a call finds an event when it goes on. */
static void broken_off(unsigned number)
{
    uint64_t endpoint = MUST_DO(EP_CREATE);
    struct case_child child = case_child(ZONE);
    struct context *first = case_self();
    uint64_t there = case_give(&child, endpoint);

    case_become(child.context);
    (void)case_call(number, (const uint64_t[6]){there, 0, 0, 0, EXO_DEADLINE_NEVER,
                                                number == NUMBER(EP_CALL_UNTIL) || number == NUMBER(EP_SEND) ? EXO_DEADLINE_NEVER : 1});
    case_become(first);
    (void)MUST_DO(CTX_STOP, child.ctx);
    (void)MUST_DO(CTX_START, child.ctx);
    (void)DO(YIELD);
    REQUIRE(case_self() == child.context, "the child does not run");
    case_late(number, -EXO_E_EVENT);
}

CASE(call_broken_off, "a call that is broken off")
{
    broken_off(NUMBER(EP_CALL));
}

CASE(call_until_broken_off, "a call with a deadline that is broken off")
{
    broken_off(NUMBER(EP_CALL_UNTIL));
}

CASE(send_broken_off, "words that nobody received yet, and whose sender is broken off")
{
    broken_off(NUMBER(EP_SEND));
}

CASE(send_refused, "what is sent: nobody can receive, nobody does, the right is a caller's")
{
    uint64_t endpoint = MUST_DO(EP_CREATE);
    uint64_t sends = MUST_DO(CAP_DERIVE, SELF, 0, endpoint, EXO_RIGHT_SEND, 0, EXO_DEADLINE_NEVER);

    REFUSED(EP_SEND, RIGHTS, MUST_DO(CAP_DERIVE, SELF, 0, endpoint, EXO_RIGHT_CALL | EXO_RIGHT_NOTIFY, 0, EXO_DEADLINE_NEVER));
    REFUSED(EP_CALL, RIGHTS, sends);
    REFUSED(EP_SEND, TIMEOUT, sends, 1, 2, 3, 4, EXO_DEADLINE_NOW);
    (void)MUST_DO(CAP_DELETE, endpoint);
    REFUSED(EP_SEND, PEER, sends, 1, 2, 3, 4, EXO_DEADLINE_NOW);
}

/* The receiver has the words, and nobody to answer; the sender goes on. */
CASE(send_received, "what is sent reaches who waits, or who receives later, and its sender goes on")
{
    uint64_t endpoint = MUST_DO(EP_CREATE);
    struct case_child child = case_child(ZONE);
    struct context *first = case_self(), *server = child.context;
    uint64_t there = case_give(&child, endpoint);

    case_become(server);
    (void)DO(EP_RECV, there, EXO_DEADLINE_NEVER);
    case_become(first);
    REQUIRE(DO(EP_SEND, endpoint, 1, 2, 3, 4, EXO_DEADLINE_NEVER) == 0 && case_self() == first, "the sender does not go on");
    REQUIRE(server->arch.regs.rax == EXO_MESSAGE_SENT && server->arch.regs.rsi == 1 && server->arch.regs.r9 == EXO_DEADLINE_NEVER && !server->client,
            "the words are not there");
    (void)DO(EP_SEND, endpoint, 5, 6, 7, 8, EXO_DEADLINE_NEVER);
    REQUIRE(first->state == CTX_CALL, "nobody receives, and the sender goes on");
    case_become(server);
    REFUSED(EP_REPLY, PEER, 0, 0, 0, 0, 0);
    REQUIRE(DO(EP_RECV, there, EXO_DEADLINE_NOW) == EXO_MESSAGE_SENT && server->arch.regs.r8 == 8, "the words are not there");
    REQUIRE(first->state == CTX_READY && !server->client && !server->sponsor, "the sender waits for something");
}

CASE(call_until_refused, "a call with a deadline: nobody can receive, or nobody does")
{
    uint64_t endpoint = MUST_DO(EP_CREATE);
    uint64_t calls = MUST_DO(CAP_DERIVE, SELF, 0, endpoint, EXO_RIGHT_CALL, 0, EXO_DEADLINE_NEVER);

    REFUSED(EP_CALL_UNTIL, TIMEOUT, calls, 1, 2, 3, 4, EXO_DEADLINE_NOW);
    (void)MUST_DO(CAP_DELETE, endpoint);
    REFUSED(EP_CALL_UNTIL, PEER, calls, 1, 2, 3, 4, EXO_DEADLINE_NOW);
}

CASE(call_cap_until_broken_off, "a call with a capability and a deadline that is broken off")
{
    broken_off(NUMBER(EP_CALL_CAP_UNTIL));
}

CASE(call_cap_until_refused, "a call with a capability and a deadline: nobody receives, or there is no capability")
{
    uint64_t endpoint = MUST_DO(EP_CREATE), fixed = MUST_DO(CAP_DERIVE, SELF, 0, endpoint, EXO_RIGHT_CALL, 0, EXO_DEADLINE_NEVER);

    REFUSED(EP_CALL_CAP_UNTIL, TIMEOUT, endpoint, 1, 2, 3, EXO_DEADLINE_NOW, endpoint);
    REFUSED(EP_CALL_CAP_UNTIL, BADSLOT, endpoint, 1, 2, 3, EXO_DEADLINE_NEVER, 0);
    REFUSED(EP_CALL_CAP_UNTIL, RIGHTS, endpoint, 1, 2, 3, EXO_DEADLINE_NEVER, fixed);
    REFUSED(EP_CALL_CAP_UNTIL, STALE, endpoint, 1, 2, 3, EXO_DEADLINE_NEVER, endpoint + (1ul << 16));
    (void)MUST_DO(CAP_DELETE, endpoint);
    REFUSED(EP_CALL_CAP_UNTIL, PEER, fixed, 1, 2, 3, EXO_DEADLINE_NEVER, SELF);
}

CASE(call_cap_broken_off, "a call with a capability that is broken off")
{
    broken_off(NUMBER(EP_CALL_CAP));
}
