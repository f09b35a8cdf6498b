/*
 * Fast calls: five words each way, in registers, and the processor goes straight from caller to server and back, with the caller's share and gas. In a
 * minute:
 *
 *     struct exo_message message = {.word = {1, 2, 3}};
 *     exo_fast_call(endpoint, &message);                   the client: 0, and the answer is in `message`; or -EXO_E_PEER
 *     exo_fast_call_until(endpoint, &message, deadline_ns);    with four words; -EXO_E_TIMEOUT if there is no answer by then
 *     exo_fast_send(endpoint, bits);                       without waiting: bits that the server gets with its next message, each once
 *     exo_fast_send_until(endpoint, &message, deadline_ns);    four words without an answer: 0 as soon as a server has them
 *
 *     exo_fast_wait(endpoint, &message, deadline_ns);      the server: the first call; -EXO_E_TIMEOUT
 *     for (;;) {
 *         message.word[0] += message.badge;                whose capability it was made with
 *         exo_fast_reply_wait(endpoint, &message);         answers, and gets the next, at one entry
 *     }
 *
 * What comes: exo_fast_is_call tells a call from what was sent, a notification or a death (EXO_NOTE_*). A capability travels in word 4: exo_ep_call_cap,
 * exo_fast_call_cap_until, and the rest of exo/ipc.h.
 *
 * Nobody waits for ever on somebody who is gone: a call ends with -EXO_E_PEER when its server's environment ends, when the server receives again without
 * having answered, and when nobody can receive at the endpoint any more. A server that is there and does not answer holds its caller: to the deadline, or until
 * another context breaks the call off (exo_fast_break). The same ends a sender's wait. Who sends wants a right of its own, SEND: a call is served with its
 * caller's share and gas, what was sent with the server's.
 *
 * The sealed kind, for other nodes and media that nobody trusts, will stand beside this with the same words (docs/ipc.md).
 */
#ifndef EXO_FAST_H
#define EXO_FAST_H
#include <exo/calls.h>
#include <exo/ipc.h>
#include <stdbool.h>

/* Right CALL. 0; -EXO_E_PEER as above; EVENT: broken off. The message means something only if the answer is 0. */
static inline int64_t exo_fast_call(uint64_t endpoint, struct exo_message *message)
{
    return exo_ep_call(endpoint, message);
}

/*
 * As exo_fast_call, but words 0 to 3 only: the server gets the deadline as word 4. -EXO_E_TIMEOUT: no answer by then; the server may have done what it was
 * asked, and its answer is for nobody. With EXO_DEADLINE_NOW a call that finds nobody waiting to receive ends at once.
 */
static inline int64_t exo_fast_call_until(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    return exo_ep_call_until(endpoint, message, deadline_ns);
}

/*
 * Right CALL. Words 0 to 2, and word 4 is a handle with COPY that the server gets a copy of; it gets the deadline as word 3. A call that did not get out
 * of the line by then has given nothing away; one that was being served has.
 */
static inline int64_t exo_fast_call_cap_until(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    return exo_ep_call_cap_until(endpoint, message, deadline_ns);
}

/*
 * Right SEND. Words 0 to 3, and the deadline as word 4, without an answer: 0 when a server has them, whatever it does then; -EXO_E_TIMEOUT: nobody received
 * them by then. EXO_DEADLINE_NOW: only if somebody waits to receive. -EXO_E_PEER and EVENT: as calls.
 */
static inline int64_t exo_fast_send_until(uint64_t endpoint, const struct exo_message *message, uint64_t deadline_ns)
{
    return exo_ep_send(endpoint, message->word[0], message->word[1], message->word[2], message->word[3], deadline_ns);
}

/* Right NOTIFY. Never waits; bits that were sent before and not yet received are the same ones. */
static inline int64_t exo_fast_send(uint64_t endpoint, uint64_t bits)
{
    return exo_ep_notify(endpoint, bits);
}

/* Right RECV. Waits for a message until deadline_ns; a call that was received before and not answered ends with -EXO_E_PEER. */
static inline int64_t exo_fast_wait(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    return exo_ep_recv(endpoint, message, deadline_ns);
}

/* Right RECV. Answers the last call, if its caller is still there, and waits for the next message. -EXO_E_EVENT: answered, but nothing came. */
static inline int64_t exo_fast_reply_wait(uint64_t endpoint, struct exo_message *message)
{
    return exo_ep_reply_recv(endpoint, message);
}

/* As exo_fast_reply_wait, with a deadline: two entries. */
static inline int64_t exo_fast_reply_wait_until(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    const uint64_t *word = message->word;

    (void)!exo_ep_reply(word[0], word[1], word[2], word[3], word[4]); /* PEER: nobody waits for it any more */
    return exo_ep_recv(endpoint, message, deadline_ns);
}

/* A call, which wants an answer. Otherwise it was sent (message->sent), or word 0 says what the kernel tells (EXO_NOTE_*). */
static inline bool exo_fast_is_call(const struct exo_message *message)
{
    return message->badge != EXO_BADGE_KERNEL && !message->sent;
}

/* Right START: the call, or the wait, that another context is in ends with -EXO_E_EVENT. If it is in none, nothing happens to it. */
static inline int64_t exo_fast_break(uint64_t context)
{
    int64_t status = exo_ctx_stop(context);

    return status < 0 ? status : exo_ctx_start(context);
}

#endif
