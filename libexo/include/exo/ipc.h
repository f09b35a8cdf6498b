/*
 * Messages: five words each way, in registers. A client calls and gets the answer; a server receives, answers, and
 * receives again in one kernel entry. A capability travels as a handle in word 4 (the _cap variants).
 * All return 0 or -EXO_E_*; on failure words and badge mean nothing. Whoever receives a capability owns it: a server that expects none deletes it
 * (exo_message_refuse), or a hostile client fills its slots.
 */
#ifndef EXO_IPC_H
#define EXO_IPC_H
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/trap.h>
#include <stdbool.h>

struct exo_message {
    uint64_t word[5];
    uint64_t badge;      /* of the sender, on receipt */
    uint64_t capability; /* handle that came with the message, or 0 */
    bool sent;           /* nobody waits for an answer to it */
};

static inline int64_t exo_message_trap(uint64_t call, uint64_t endpoint, struct exo_message *message)
{
    int64_t result = exo_trap_message(call, endpoint, message->word, &message->badge);

    message->capability = result == EXO_MESSAGE_CAP ? message->word[4] : 0;
    message->sent = result == EXO_MESSAGE_SENT;
    return result < 0 ? result : 0;
}

/* Deletes the capability that came with the message, if any. */
static inline void exo_message_refuse(struct exo_message *message)
{
    if (message->capability)
        (void)!exo_cap_delete(message->capability);
    message->capability = 0;
}

/* Right CALL. */
static inline int64_t exo_ep_call(uint64_t endpoint, struct exo_message *message)
{
    return exo_message_trap(EXO_CALL_EP_CALL, endpoint, message);
}

/* Right CALL; word[4] is a handle with COPY that the receiver gets a copy of. */
static inline int64_t exo_ep_call_cap(uint64_t endpoint, struct exo_message *message)
{
    return exo_message_trap(EXO_CALL_EP_CALL_CAP, endpoint, message);
}

/* Right CALL; four words, and the server sees the deadline as word[4]. -EXO_E_TIMEOUT: no answer until then. */
static inline int64_t exo_ep_call_until(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    message->word[4] = deadline_ns;
    return exo_message_trap(EXO_CALL_EP_CALL_UNTIL, endpoint, message);
}

/* Right CALL; three words and a handle in word[4], and the server sees the deadline as word[3]. -EXO_E_TIMEOUT: no answer until then. */
static inline int64_t exo_ep_call_cap_until(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    message->word[3] = deadline_ns;
    return exo_message_trap(EXO_CALL_EP_CALL_CAP_UNTIL, endpoint, message);
}

/* Right RECV. Waits until deadline_ns of the monotonic clock (EXO_DEADLINE_NOW: only looks). */
static inline int64_t exo_ep_recv(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    message->word[0] = deadline_ns;
    return exo_message_trap(EXO_CALL_EP_RECV, endpoint, message);
}

/* Right RECV. Answers the last call received (if any) with the message and receives the next one into it. */
static inline int64_t exo_ep_reply_recv(uint64_t endpoint, struct exo_message *message)
{
    return exo_message_trap(EXO_CALL_EP_REPLY_RECV, endpoint, message);
}

#endif
