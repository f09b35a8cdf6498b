/*
 * Messages: five words each way, in registers. A client calls and gets the answer; a server receives, answers, and
 * receives again in one kernel entry. A capability travels as a handle in word 4 (the _cap variants).
 * All return 0 or -EXO_E_*; on failure the message is unchanged.
 */
#ifndef EXO_IPC_H
#define EXO_IPC_H
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/trap.h>

struct exo_message {
    uint64_t word[5];
    uint64_t badge; /* of the sender, on receipt */
};

/* Right CALL. */
static inline int64_t exo_ep_call(uint64_t endpoint, struct exo_message *message)
{
    return exo_trap_message(EXO_CALL_EP_CALL, endpoint, message->word, &message->badge);
}

/* Right CALL; word[4] is a handle with COPY that the receiver gets a copy of. */
static inline int64_t exo_ep_call_cap(uint64_t endpoint, struct exo_message *message)
{
    return exo_trap_message(EXO_CALL_EP_CALL_CAP, endpoint, message->word, &message->badge);
}

/* Right RECV. Waits until deadline_ns of the monotonic clock (EXO_DEADLINE_NOW: only looks). */
static inline int64_t exo_ep_recv(uint64_t endpoint, struct exo_message *message, uint64_t deadline_ns)
{
    message->word[0] = deadline_ns;
    return exo_trap_message(EXO_CALL_EP_RECV, endpoint, message->word, &message->badge);
}

/* Right RECV. Answers the last call received (if any) with the message and receives the next one into it. */
static inline int64_t exo_ep_reply_recv(uint64_t endpoint, struct exo_message *message)
{
    return exo_trap_message(EXO_CALL_EP_REPLY_RECV, endpoint, message->word, &message->badge);
}

#endif
