/*
 * PTRACE_SINGLESTEP. A thread cannot give itself the trap flag:
 * the last instructions of the way out would trap, and there is no iretq in ring 3 (decision 0002).
 * So a context of the libOS's own, made when somebody steps for the first time, stops the thread, writes its registers,
 * and starts it at the program's instruction.
 */
#include "px_arch.h"
#include "trace.h"

static struct px_thread *helper;

void px_step_fork_child(void)
{
    if (helper)
        helper = NULL;
}

/* The registers are complete, events are masked, and the lock is free: the thread is never to come back here. */
_Noreturn void px_step(void)
{
    struct px_thread *thread = px_thread();

    if (!helper)
        helper = px_thread_make_helper();
    if (!helper)
        px_exit(SIGKILL); /* no memory */
    px_unlock();
    __atomic_store_n(&thread->steps, true, __ATOMIC_SEQ_CST);
    __atomic_store_n(&helper->wake, 1, __ATOMIC_SEQ_CST);
    (void)!exo_wake(&helper->wake, 1);
    for (;;)
        (void)!exo_wait(NULL, 0, PX_DEADLINE_NEVER); /* events wait until it runs */
}

static void set_going(const struct px_thread *thread)
{
    struct exo_ctx_state state;

    px_arch_step_state(&state, thread->regs, thread->trace ? thread->trace->tls : 0);
    if (exo_ctx_stop(thread->context) < 0)
        return;
    __atomic_store_n(&px_thread_page(thread)->masked, 0, __ATOMIC_SEQ_CST);
    if (exo_ctx_write(thread->context, &state) < 0 || exo_ctx_start(thread->context) < 0)
        px_log("exo: a thread does not step\n");
}

/* Without the lock: a thread that steps touches nothing of its own until it runs. */
_Noreturn void px_step_serve(void)
{
    struct px_thread *self = px_thread();

    for (;;) {
        __atomic_store_n(&self->wake, 0, __ATOMIC_SEQ_CST);
        for (unsigned number = 0; number < px_threads.made; number++)
            if (__atomic_exchange_n(&px_thread_number(number)->steps, false, __ATOMIC_SEQ_CST))
                set_going(px_thread_number(number));
        (void)!exo_wait_word(&self->wake, 0, PX_DEADLINE_NEVER, 0, 0);
    }
}
