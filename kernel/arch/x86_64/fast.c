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
_Noreturn void fast_yield_call(struct context *caller);
_Noreturn void fast_yield_to_call(uint64_t handle, struct context *caller);
_Noreturn void fast_wait_word_call(uint64_t va, uint64_t value, uint64_t deadline_ns, uint64_t also, uint64_t also_value, struct context *caller);
_Noreturn void fast_wake_call(uint64_t va, uint64_t most, struct context *caller);
/* entry.S: the scheduler is asked whether the current context goes on. */
_Noreturn void leave_fast(struct context *context);
_Noreturn void general_yield(void);
_Noreturn void general_yield_to(uint64_t handle);
_Noreturn void general_wait_word(uint64_t va, uint64_t value, uint64_t deadline_ns, uint64_t also, uint64_t also_value);
_Noreturn void general_wake(uint64_t va, uint64_t most);

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

/* A section of text behind the entries (kernel.ld): with the first of them, calls and answers with one CPU are in one page. */
#define FAST_WAY(name, held, body, part)                                                                               \
    __attribute__((hot, section(".text." part))) WAY(name)                                                             \
    {                                                                                                                  \
        if (held)                                                                                                      \
            lock_taken(); /* by entry.S */                                                                             \
        body(held, handle, w0, w1, w2, w3, w4);                                                                        \
    }
FAST_WAY(fast_ep_call, false, ep_call, "fast")
FAST_WAY(fast_ep_call_cap, false, ep_call_cap, "fast_more")
FAST_WAY(fast_ep_reply_recv, false, ep_reply_recv, "fast")
FAST_WAY(fast_ep_call_held, true, ep_call, "fast_more")
FAST_WAY(fast_ep_call_cap_held, true, ep_call_cap, "fast_more")
FAST_WAY(fast_ep_reply_recv_held, true, ep_reply_recv, "fast_more")

/* All registers: whoever goes on may have been interrupted. What the caller has in those of arguments, it has lost. */
static FAST _Noreturn void resume(struct context *context)
{
    __asm__ volatile("jmp resume_context" : : "D"(context) : "memory");
    __builtin_unreachable();
}

static FAST _Noreturn void hand_over(struct context *caller, struct context *next)
{
    caller->arch.regs.rax = 0;
    load_context(&caller, next);
    resume(next);
}

__attribute__((hot)) void fast_yield_call(struct context *caller)
{
    struct context *next = fast_yield(caller);

    if (UNLIKELY(!next))
        general_yield();
    hand_over(caller, next);
}

__attribute__((hot)) void fast_yield_to_call(uint64_t handle, struct context *caller)
{
    struct context *next = fast_yield_to(caller, handle);

    if (UNLIKELY(!next))
        general_yield_to(handle);
    hand_over(caller, next);
}

__attribute__((hot)) void fast_wait_word_call(uint64_t va, uint64_t value, uint64_t deadline_ns, uint64_t also, uint64_t also_value, struct context *caller)
{
    struct context *next = fast_wait_word(caller, va, value, deadline_ns, also, also_value);

    if (UNLIKELY(!next))
        general_wait_word(va, value, deadline_ns, also, also_value);
    hand_over(caller, next);
}

__attribute__((hot)) void fast_wake_call(uint64_t va, uint64_t most, struct context *caller)
{
    int64_t woken = fast_wake(caller, va, most);

    if (UNLIKELY(woken < 0))
        general_wake(va, most);
    caller->arch.regs.rax = (uint64_t)woken;
    if (UNLIKELY(sched_needed))
        leave_fast(caller);
    resume(caller);
}
