/* Words that are sent without an answer, and calls with a capability and a deadline (exo/fast.h): who waits, who ends it, and what peers can do about it. */
#include <exo/fast.h>

#include "bare.h"

enum { CHILD_ENDPOINT = 20, CHILD_OTHER = 21 };

static struct child sender(uint64_t endpoint, uint64_t rights, void (*function)(uint64_t), uint64_t argument)
{
    struct child child = child_new(function, argument);

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, endpoint, rights, 7), CHILD_ENDPOINT);
    return child;
}

/* Ends with 50, or the error. */
static void send_once(uint64_t deadline_ns)
{
    const struct exo_message message = {.word = {1, 2, 3, 4}};
    int64_t status = exo_fast_send_until(CHILD_ENDPOINT, &message, deadline_ns);

    child_exit(status < 0 ? (uint64_t)-status : 50);
}

static void call_cap_once(uint64_t deadline_ns)
{
    struct exo_message message = {.word = {1, 2, 3, 0, CHILD_ENDPOINT}};
    int64_t status = exo_fast_call_cap_until(CHILD_ENDPOINT, &message, deadline_ns);

    child_exit(status < 0 ? (uint64_t)-status : 50 + message.word[0]);
}

CASE(send_words, "send: the receiver has four words and nobody to answer; the sender goes on when it has them, and not before")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), until;
    struct child child = sender(endpoint, EXO_RIGHT_SEND, send_once, EXO_DEADLINE_NEVER);
    struct exo_message message = {.word = {9}};

    EXPECT(exo_fast_send_until(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    until = bare_now() + 2000000;
    EXPECT(exo_fast_send_until(endpoint, &message, until), -EXO_E_TIMEOUT);
    CHECK(bare_now() >= until);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT); /* it stands in no line any more */
    child_start(&child);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    CHECK(message.sent && !exo_fast_is_call(&message) && message.badge == 7 && message.capability == 0);
    CHECK(message.word[0] == 1 && message.word[1] == 2 && message.word[2] == 3 && message.word[3] == 4 && message.word[4] == EXO_DEADLINE_NEVER);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), -EXO_E_PEER);
    EXPECT((int64_t)child_result(&child), 50);
    EXPECT(exo_cap_delete(endpoint), 0);
}

static void count_sent(uint64_t until)
{
    struct exo_message message = {0};
    uint64_t sum = 0;

    for (int64_t status = exo_fast_wait(CHILD_ENDPOINT, &message, EXO_DEADLINE_NEVER); status == 0;
         status = exo_fast_reply_wait(CHILD_ENDPOINT, &message)) { /* as servers do that do not care */
        sum += message.sent ? message.word[0] : 1000;
        if (message.word[0] == until)
            child_exit(sum);
    }
    child_exit(1);
}

CASE(send_many, "send: all arrives in order, once, at a server that answers whatever comes")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    struct child child = child_new(count_sent, 100);
    struct exo_message message = {0};

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, endpoint, EXO_RIGHT_RECV, 0), CHILD_ENDPOINT);
    child_start(&child);
    for (uint64_t i = 1; i <= 100; i++) {
        message.word[0] = i;
        EXPECT(exo_fast_send_until(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    }
    EXPECT((int64_t)child_result(&child), 5050);
    EXPECT(exo_cap_delete(endpoint), 0);
}

CASE(send_rights, "send: the right is SEND; whoever may call or notify may not send, and the other way round")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    uint64_t calls = (uint64_t)MUST(exo_cap_derive(SELF, 0, endpoint, EXO_RIGHT_CALL | EXO_RIGHT_NOTIFY, 0, EXO_DEADLINE_NEVER));
    uint64_t sends = (uint64_t)MUST(exo_cap_derive(SELF, 0, endpoint, EXO_RIGHT_SEND, 0, EXO_DEADLINE_NEVER));
    struct exo_message message = {0};

    EXPECT(exo_fast_send_until(calls, &message, EXO_DEADLINE_NOW), -EXO_E_RIGHTS);
    EXPECT(exo_fast_call_until(sends, &message, EXO_DEADLINE_NOW), -EXO_E_RIGHTS);
    EXPECT(exo_fast_send(sends, 1), -EXO_E_RIGHTS);
    EXPECT(exo_fast_send_until(SELF, &message, EXO_DEADLINE_NOW), -EXO_E_TYPE);
    EXPECT(exo_fast_send_until(999, &message, EXO_DEADLINE_NOW), -EXO_E_BADSLOT);
    EXPECT(exo_cap_delete(endpoint), 0); /* nobody can receive there any more */
    EXPECT(exo_fast_send_until(sends, &message, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    EXPECT(exo_cap_delete(calls), 0);
    EXPECT(exo_cap_delete(sends), 0);
}

CASE(send_ends, "send: who waits hears of the endpoint's end, or is broken off; who dies meanwhile is forgotten")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    struct child child = sender(endpoint, EXO_RIGHT_SEND, send_once, EXO_DEADLINE_NEVER);
    struct exo_message message = {0};

    child_start(&child);
    bare_settle();
    EXPECT(exo_fast_break(child.context), 0);
    EXPECT((int64_t)child_result(&child), EXO_E_EVENT);
    child = sender(endpoint, EXO_RIGHT_SEND, send_once, EXO_DEADLINE_NEVER);
    child_start(&child);
    bare_settle();
    (void)!exo_env_destroy(child.env, 0);
    EXPECT((int64_t)(child_end(&child) & 0xff), EXO_REASON_DESTROYED);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    child = sender(endpoint, EXO_RIGHT_SEND, send_once, EXO_DEADLINE_NEVER);
    child_start(&child);
    bare_settle();
    EXPECT(exo_cap_delete(endpoint), 0);
    EXPECT((int64_t)child_result(&child), EXO_E_PEER);
}

static void flood(uint64_t unused)
{
    const struct exo_message message = {0};

    (void)unused;
    for (;;)
        (void)!exo_fast_send_until(CHILD_ENDPOINT, &message, EXO_DEADLINE_NEVER);
}

static void call_once(uint64_t what)
{
    struct exo_message message = {.word = {what}};

    child_exit(exo_fast_call(CHILD_ENDPOINT, &message) < 0 ? 1 : 50);
}

CASE(send_flood, "send: three that flood have one message under way each, and a call gets its turn between them")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), give_up = bare_now() + 10000000000ul;
    struct child noise[3], child = sender(endpoint, EXO_RIGHT_CALL, call_once, 1000);
    struct exo_message message = {0};
    uint32_t slots = bare_slots_used();
    unsigned served = 0;

    for (unsigned i = 0; i < 3; i++) {
        noise[i] = sender(endpoint, EXO_RIGHT_SEND, flood, 0);
        child_start(&noise[i]);
    }
    slots = bare_slots_used();
    for (unsigned i = 0; i < 200 || (served == 0 && bare_now() < give_up); i++) {
        EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
        CHECK(message.sent == (message.word[0] != 1000));
        if (i == 100)
            child_start(&child);
        if (exo_fast_is_call(&message)) {
            EXPECT(exo_ep_reply(0, 0, 0, 0, 0), 0);
            served++;
        }
    }
    EXPECT(served, 1);
    EXPECT(bare_slots_used(), slots);
    EXPECT((int64_t)child_result(&child), 50);
    for (unsigned i = 0; i < 3; i++) {
        (void)!exo_env_destroy(noise[i].env, 0);
        EXPECT((int64_t)(child_end(&noise[i]) & 0xff), EXO_REASON_DESTROYED);
    }
    EXPECT(exo_cap_delete(endpoint), 0);
}

CASE(call_cap_deadline, "a call with a capability and a deadline: in the line nothing is given away, while it is served it has been")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), until = bare_now() + 2000000;
    uint32_t slots = bare_slots_used();
    struct exo_message message = {.word = {0, 0, 0, 0, endpoint}};
    struct child child;

    EXPECT(exo_fast_call_cap_until(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    message.word[4] = endpoint;
    EXPECT(exo_fast_call_cap_until(endpoint, &message, until), -EXO_E_TIMEOUT);
    EXPECT(bare_slots_used(), slots);
    message.word[4] = 999;
    EXPECT(exo_fast_call_cap_until(endpoint, &message, until), -EXO_E_BADSLOT);
    message.word[4] = 0;
    EXPECT(exo_fast_call_cap_until(endpoint, &message, until), -EXO_E_BADSLOT);
    for (unsigned answers = 0, length = 3000000; answers < 2; answers++) {
        for (int64_t status = -EXO_E_TIMEOUT; status != 0; length *= 2) {
            until = answers ? EXO_DEADLINE_NEVER - 1 : bare_now() + length;
            child = sender(endpoint, EXO_RIGHT_CALL | EXO_RIGHT_COPY, call_cap_once, until);
            child_start(&child);
            status = exo_fast_wait(endpoint, &message, until);
            if (status != 0) { /* the machine stood still, and the caller needs longer */
                EXPECT(status, -EXO_E_TIMEOUT);
                EXPECT((int64_t)child_result(&child), EXO_E_TIMEOUT);
            }
        }
        CHECK(exo_fast_is_call(&message) && message.capability && message.word[2] == 3 && message.word[3] == until && message.badge == 7);
        exo_message_refuse(&message);
        if (answers)
            EXPECT(exo_ep_reply(5, 0, 0, 0, 0), 0);
        else
            EXPECT(exo_wait(NULL, 0, until + 3000000), -EXO_E_TIMEOUT); /* receiving would break the call off */
        EXPECT((int64_t)child_result(&child), answers ? 55 : EXO_E_TIMEOUT);
        EXPECT(exo_ep_reply(0, 0, 0, 0, 0), -EXO_E_PEER);
    }
    EXPECT(bare_slots_used(), slots);
    EXPECT(exo_cap_delete(endpoint), 0);
}

CASE(call_cap_peer, "a call with a capability and a deadline ends with its server, with the endpoint, and when it is broken off")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    struct child child[3];
    struct exo_message message = {0};

    for (unsigned i = 0; i < 3; i++)
        child[i] = sender(endpoint, EXO_RIGHT_CALL | EXO_RIGHT_COPY, call_cap_once, EXO_DEADLINE_NEVER - 1);
    child_start(&child[0]);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    exo_message_refuse(&message);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT); /* received again without having answered */
    EXPECT((int64_t)child_result(&child[0]), EXO_E_PEER);
    child_start(&child[1]);
    bare_settle();
    EXPECT(exo_fast_break(child[1].context), 0);
    EXPECT((int64_t)child_result(&child[1]), EXO_E_EVENT);
    child_start(&child[2]);
    bare_settle();
    EXPECT(exo_cap_delete(endpoint), 0);
    EXPECT((int64_t)child_result(&child[2]), EXO_E_PEER);
}
