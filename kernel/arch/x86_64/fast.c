/*
 * The fast paths' own way through the kernel. entry.S has stored the registers that a call keeps, and nothing else; a message stays in its
 * registers from the caller's `syscall` to the receiver's `sysret`, as arguments of these functions. So they never return: they either resume who was
 * answered, or go on as any other call does (entry.S, general_ep_call), which stores the rest.
 */
#include "fast.h"

#include "switch.h"

_Noreturn void fast_ep_call(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4);
_Noreturn void fast_ep_call_cap(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4);
_Noreturn void fast_ep_reply_recv(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4);
/* entry.S: with the number in RAX and the arguments as a function has them. */
_Noreturn void general_ep_call(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4);
_Noreturn void general_ep_call_cap(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4);
_Noreturn void general_ep_reply_recv(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4);

__attribute__((hot)) void fast_ep_call(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    uint64_t badge;
    struct context *receiver = fast_call(sched_cpu.current, handle, NULL, &badge);

    if (UNLIKELY(!receiver))
        general_ep_call(handle, w0, w1, w2, w3, w4);
    load_context(&receiver->client, receiver);
    resume_with(receiver, 0, badge, w0, w1, w2, w3, w4);
}

__attribute__((hot)) void fast_ep_call_cap(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    uint64_t badge, travels = w4;
    struct context *receiver = fast_call(sched_cpu.current, handle, &travels, &badge);

    if (UNLIKELY(!receiver))
        general_ep_call_cap(handle, w0, w1, w2, w3, w4);
    load_context(&receiver->client, receiver);
    resume_with(receiver, EXO_MESSAGE_CAP, badge, w0, w1, w2, w3, travels);
}

__attribute__((hot)) void fast_ep_reply_recv(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    struct context *server = sched_cpu.current, *client = fast_reply_recv(server, handle);

    if (UNLIKELY(!client))
        general_ep_reply_recv(handle, w0, w1, w2, w3, w4);
    load_context(&server, client);
    resume_with(client, 0, 0, w0, w1, w2, w3, w4);
}
