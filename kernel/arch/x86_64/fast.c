/*
 * The fast paths' own way through the kernel. entry.S has stored the registers that a call keeps, and nothing else; a message stays in its
 * registers from the caller's `syscall` to the receiver's `sysret`, as arguments of these functions. So they never return: they either resume who was
 * answered, or go on as any other call does (entry.S, general_ep_call), which stores the rest.
 *
 * With several CPUs they hold the kernel's lock (the functions whose names end so), and give it back when all is done.
 */
#include "fast.h"

#include "switch.h"

#define WAY(name) _Noreturn void name(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
WAY(fast_ep_call);
WAY(fast_ep_call_cap);
WAY(fast_ep_reply_recv);
WAY(fast_ep_call_held);
WAY(fast_ep_call_cap_held);
WAY(fast_ep_reply_recv_held);
/* entry.S: with the number in RAX and the arguments as a function has them. */
WAY(general_ep_call);
WAY(general_ep_call_cap);
WAY(general_ep_reply_recv);
WAY(general_ep_call_held);
WAY(general_ep_call_cap_held);
WAY(general_ep_reply_recv_held);
#define OTHERWISE(held, general) ((held) ? general##_held(handle, w0, w1, w2, w3, w4) : general(handle, w0, w1, w2, w3, w4))

/* What arch_switch_from and arch_switch_to do, and make_current (sched.c), as far as fast_switch has not. */
static FAST void change(bool held, struct context *const *from, struct context *to)
{
    if (held) {
        fpu_leave(*from);
        (*from)->cpu = 0;
        to->cpu = (uint8_t)(percpu.number + 1);
        if ((*from)->env != to->env)
            smp_loaded(to->env);
    }
    load_context(from, to);
    if (held)
        smp_unlock_clean();
}

static FAST _Noreturn void ep_call(bool held, uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    uint64_t badge;
    struct context *receiver = fast_call(sched_cpu.current, handle, NULL, &badge);

    if (UNLIKELY(!receiver))
        OTHERWISE(held, general_ep_call);
    change(held, &receiver->client, receiver);
    resume_with(receiver, 0, badge, w0, w1, w2, w3, w4);
}

static FAST _Noreturn void ep_call_cap(bool held, uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    uint64_t badge, travels = w4;
    struct context *receiver = fast_call(sched_cpu.current, handle, &travels, &badge);

    if (UNLIKELY(!receiver))
        OTHERWISE(held, general_ep_call_cap);
    change(held, &receiver->client, receiver);
    resume_with(receiver, EXO_MESSAGE_CAP, badge, w0, w1, w2, w3, travels);
}

static FAST _Noreturn void ep_reply_recv(bool held, uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    struct context *server = sched_cpu.current, *client = fast_reply_recv(server, handle);

    if (UNLIKELY(!client))
        OTHERWISE(held, general_ep_reply_recv);
    change(held, &server, client);
    resume_with(client, 0, 0, w0, w1, w2, w3, w4);
}

__attribute__((hot)) void fast_ep_call(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    ep_call(false, handle, w0, w1, w2, w3, w4);
}

__attribute__((hot)) void fast_ep_call_cap(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    ep_call_cap(false, handle, w0, w1, w2, w3, w4);
}

__attribute__((hot)) void fast_ep_reply_recv(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    ep_reply_recv(false, handle, w0, w1, w2, w3, w4);
}

__attribute__((hot)) void fast_ep_call_held(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    ep_call(true, handle, w0, w1, w2, w3, w4);
}

__attribute__((hot)) void fast_ep_call_cap_held(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    ep_call_cap(true, handle, w0, w1, w2, w3, w4);
}

__attribute__((hot)) void fast_ep_reply_recv_held(uint64_t handle, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
    ep_reply_recv(true, handle, w0, w1, w2, w3, w4);
}
