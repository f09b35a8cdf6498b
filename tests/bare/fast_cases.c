/* Fast calls as exo/fast.h has them, batches over the kinds of IPC, and peers that never answer, flood, or pass what they have not. */
#include <exo/fast.h>

#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define PLACE AREA(97)
#define NUMBER(NAME) (EXO_CALL_##NAME - EXO_CALL_BASE)

enum { CHILD_ENDPOINT = 20, CHILD_OTHER = 21 };

static struct child caller(uint64_t endpoint, void (*function)(uint64_t), uint64_t argument)
{
    struct child child = child_new(function, argument);

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, endpoint, EXO_RIGHT_CALL | EXO_RIGHT_NOTIFY, 7), CHILD_ENDPOINT);
    return child;
}

/* Ends with 50 when it is answered, else with the error. */
static void call_once(uint64_t what)
{
    struct exo_message message = {.word = {what}};
    int64_t status = exo_fast_call(CHILD_ENDPOINT, &message);

    child_exit(status < 0 ? (uint64_t)-status : 50 + message.word[0]);
}

CASE(fast_kinds, "fast: calls and what is sent are told apart; replies with a deadline; sent bits are gathered")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    struct child child = caller(endpoint, call_once, 3);
    struct exo_message message = {0};

    EXPECT(exo_fast_send(endpoint, 1), 0);
    EXPECT(exo_fast_send(endpoint, 4), 0);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    CHECK(!exo_fast_is_call(&message) && message.word[1] == 5);
    EXPECT(exo_fast_wait(endpoint, &message, bare_now() + 1000000), -EXO_E_TIMEOUT);
    child_start(&child);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    CHECK(exo_fast_is_call(&message) && message.word[0] == 3 && message.badge == 7);
    message.word[0] = 2;
    EXPECT(exo_fast_reply_wait_until(endpoint, &message, bare_now() + 1000000), -EXO_E_TIMEOUT);
    EXPECT((int64_t)child_result(&child), 52);
    EXPECT(exo_cap_delete(endpoint), 0);
}

CASE(fast_never_answers, "fast: a call that is not answered ends when it is broken off, when the server receives again, and when it goes")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    struct child child[3];
    struct exo_message message = {0};

    for (unsigned i = 0; i < 3; i++)
        child[i] = caller(endpoint, call_once, i);
    child_start(&child[0]);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    EXPECT(exo_fast_break(child[0].context), 0);
    EXPECT((int64_t)child_result(&child[0]), EXO_E_EVENT);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), -EXO_E_PEER); /* the server hears of it */
    child_start(&child[1]);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    EXPECT((int64_t)child_result(&child[1]), EXO_E_PEER);
    child_start(&child[2]);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    (void)!exo_env_destroy(child[2].env, 3); /* and the other way round: the caller dies while it is served */
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), -EXO_E_PEER);
    EXPECT((int64_t)child_end(&child[2]), EXO_REASON_DESTROYED | 3 << 8);
    EXPECT(exo_cap_delete(endpoint), 0);
}

static void answer_one(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    if (exo_fast_wait(CHILD_ENDPOINT, &message, EXO_DEADLINE_NEVER) < 0)
        child_exit(1);
    message.word[0] += message.word[4] == EXO_DEADLINE_NEVER - 1;
    for (;;)
        (void)!exo_fast_reply_wait(CHILD_ENDPOINT, &message);
}

CASE(fast_deadline, "fast: a call ends at its deadline, in the line and while it is served; one that is answered leaves no timer behind")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), until;
    struct child child = child_new(answer_one, 0);
    struct exo_message message = {0};

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, endpoint, EXO_RIGHT_RECV, 0), CHILD_ENDPOINT);
    EXPECT(exo_fast_call_until(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT); /* nobody receives yet */
    until = bare_now() + 2000000;
    EXPECT(exo_fast_call_until(endpoint, &message, until), -EXO_E_TIMEOUT);
    CHECK(bare_now() >= until);
    EXPECT(exo_ep_recv(endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT); /* it stands in no line any more */
    child_start(&child);
    for (uint64_t i = 0; i < 100; i++) {
        message = (struct exo_message){.word = {i}};
        EXPECT(exo_fast_call_until(endpoint, &message, i % 2 ? EXO_DEADLINE_NEVER - 1 : EXO_DEADLINE_NEVER), 0);
        if (i == 0)
            CHECK(message.word[0] == 0);
    }
    EXPECT(exo_wait(NULL, 0, bare_now() + 1000000), -EXO_E_TIMEOUT); /* its own timer is free for it */
    (void)!exo_env_destroy(child.env, 0);
    EXPECT((int64_t)(child_end(&child) & 0xff), EXO_REASON_DESTROYED);
    EXPECT(exo_cap_delete(endpoint), 0);
}

static void call_until(uint64_t wait_ns)
{
    struct exo_message message = {0};
    int64_t status = exo_fast_call_until(CHILD_ENDPOINT, &message, wait_ns);

    child_exit(status < 0 ? (uint64_t)-status : 50);
}

/* Serves, and calls another server meanwhile, who does not answer in time: its own client is answered all the same. */
static void middle(uint64_t deadline_ns)
{
    struct exo_message message = {0}, other = {0};

    if (exo_fast_wait(CHILD_ENDPOINT, &message, EXO_DEADLINE_NEVER) < 0)
        child_exit(1);
    if (exo_fast_call_until(CHILD_OTHER, &other, deadline_ns) != -EXO_E_TIMEOUT)
        child_exit(2);
    child_exit(exo_ep_reply(5, 0, 0, 0, 0) == 0 ? 51 : 3);
}

/* Receives from who calls until `until_ns`. False when that time passed first: the machine stood still, and the caller needs longer. */
static bool called_before(uint64_t endpoint, uint64_t until_ns)
{
    struct exo_message message = {0};
    int64_t status = exo_fast_wait(endpoint, &message, until_ns);

    CHECK(status == 0 || status == -EXO_E_TIMEOUT);
    return status == 0;
}

CASE(fast_deadline_served, "fast: a deadline that passes while the call is served frees the server, and touches nobody else's call")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), front = (uint64_t)MUST(exo_ep_create()), until = 0;
    struct child client, between;
    bool called = false;

    for (uint64_t length = 3000000; !called; length *= 2) {
        until = bare_now() + length;
        client = caller(endpoint, call_until, until);
        child_start(&client);
        called = called_before(endpoint, until);
        if (!called)
            EXPECT((int64_t)child_result(&client), EXO_E_TIMEOUT);
    }
    EXPECT(exo_wait(NULL, 0, until + 3000000), -EXO_E_TIMEOUT); /* receiving would break the call off */
    EXPECT((int64_t)child_result(&client), EXO_E_TIMEOUT);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), -EXO_E_PEER);
    called = false;
    for (uint64_t length = 3000000; !called; length *= 2) {
        until = bare_now() + length;
        client = caller(front, call_once, 0);
        between = child_new(middle, until);
        EXPECT(exo_cap_copy(between.env, CHILD_ENDPOINT, front, EXO_RIGHT_RECV, 0), CHILD_ENDPOINT);
        EXPECT(exo_cap_copy(between.env, CHILD_OTHER, endpoint, EXO_RIGHT_CALL, 0), CHILD_OTHER);
        child_start(&between), child_start(&client);
        called = called_before(endpoint, until);
        if (called)
            EXPECT(exo_wait(NULL, 0, until + 3000000), -EXO_E_TIMEOUT);
        EXPECT((int64_t)child_result(&client), 55);
        EXPECT((int64_t)child_result(&between), 51);
    }
    EXPECT(exo_cap_delete(front), 0);
    EXPECT(exo_cap_delete(endpoint), 0);
}

static void flood(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (uint64_t i = 0;; i++) {
        message.word[4] = CHILD_OTHER + i % 2000; /* nothing of its own */
        (void)!exo_fast_send(CHILD_ENDPOINT, 1ul << i % 64);
        if (i % 2)
            (void)!exo_ep_call_cap(CHILD_ENDPOINT, &message);
        else
            (void)!exo_fast_call(CHILD_ENDPOINT, &message);
    }
}

CASE(fast_flood, "fast: floods of calls, bits and bad capabilities leave each caller its turn, and the server no slot")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    struct child noise[3], child = caller(endpoint, call_once, 1000);
    struct exo_message message = {0};
    uint64_t give_up = bare_now() + 10000000000ul;
    uint32_t slots;
    unsigned served = 0;

    for (unsigned i = 0; i < 3; i++) {
        noise[i] = caller(endpoint, flood, 0);
        child_start(&noise[i]);
    }
    slots = bare_slots_used();
    for (unsigned i = 0; i < 200 || (served == 0 && bare_now() < give_up); i++) { /* on another processor it may be long until it begins */
        EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
        exo_message_refuse(&message);
        if (exo_fast_is_call(&message))
            (void)!exo_ep_reply(0, 0, 0, 0, 0);
        if (i == 100)
            child_start(&child);
        served += exo_fast_is_call(&message) && message.word[0] == 1000 && i > 100;
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

static void receive_bits(uint64_t bits)
{
    struct exo_message message = {0};

    child_exit(exo_fast_wait(CHILD_ENDPOINT, &message, EXO_DEADLINE_NEVER) == 0 && message.word[1] == bits ? 51 : 1);
}

/* An answer, a notification, a wake, a block lent, mapped and taken back: one entry. */
CASE(ipc_batch, "fast: a batch over the kinds of IPC: an answer, bits for others, a wake, a block's way there and back, at one kernel entry")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), other[4], frame = (uint64_t)MUST(exo_frame_alloc(ZONE, 4));
    struct child client = caller(endpoint, call_once, 1), server[4];
    struct exo_message message = {0};
    static _Alignas(64) struct exo_batch_op ops[9];
    unsigned count = 0;

    for (unsigned i = 0; i < 4; i++) {
        other[i] = (uint64_t)MUST(exo_ep_create());
        server[i] = child_new(receive_bits, 1ul << i);
        EXPECT(exo_cap_copy(server[i].env, CHILD_ENDPOINT, other[i], EXO_RIGHT_RECV, 0), CHILD_ENDPOINT);
        child_start(&server[i]);
        ops[count++] = (struct exo_batch_op){.call = NUMBER(EP_NOTIFY), .argument = {other[i], 1ul << i}};
    }
    child_start(&client);
    EXPECT(exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER), 0);
    ops[count++] = (struct exo_batch_op){.call = NUMBER(EP_REPLY), .flags = EXO_BATCH_NEEDED, .argument = {4}};
    ops[count++] = (struct exo_batch_op){.call = NUMBER(WAKE), .argument = {(uint64_t)&ops[0].call, 1}};
    ops[count++] = (struct exo_batch_op){.call = NUMBER(MEM_MAP), .argument = {SELF, PLACE, frame, 0, 4, RW}};
    ops[count++] = (struct exo_batch_op){.call = NUMBER(MEM_UNMAP), .argument = {SELF, PLACE, 4}};
    ops[count++] = (struct exo_batch_op){.call = NUMBER(CAP_REVOKE), .argument = {frame}};
    EXPECT(exo_batch(ops, count), count);
    for (unsigned i = 0; i < count; i++)
        EXPECT(ops[i].result, ops[i].call == NUMBER(MEM_MAP) || ops[i].call == NUMBER(MEM_UNMAP) ? 4 : 0);
    EXPECT((int64_t)child_result(&client), 54);
    for (unsigned i = 0; i < 4; i++) {
        EXPECT((int64_t)child_result(&server[i]), 51);
        EXPECT(exo_cap_delete(other[i]), 0);
    }
    EXPECT(exo_batch_all(ops + 4, 2), 1); /* an answer is needed, and there is nobody: the rest is not done */
    EXPECT(ops[4].result, -EXO_E_PEER);
    EXPECT(exo_cap_delete(frame), 0);
    EXPECT(exo_cap_delete(endpoint), 0);
}
