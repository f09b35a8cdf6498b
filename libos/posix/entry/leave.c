/* The slow ways through a system call: tracing, missing calls, and all that may have to be done before the program goes on. */
#include "px_arch.h"
#include "px_calls.h"
#include "trace.h"

PX_HOT_DATA uint32_t px_entry_slow;
uint64_t px_calls_left;

void px_no_restart(void)
{
    px_thread()->no_restart = true;
}

static bool asks_restart(int64_t result)
{
    return result <= -PX_ERESTARTSYS && result >= -PX_ERESTART_BLOCK;
}

/* A call of one of several threads (entry.S). The lock is kept if the way out will be the slow one, which gives it back. */
int64_t px_call_locked(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, px_call *body, uint64_t number)
{
    struct px_thread *thread = px_thread();
    int64_t result;

    if (!thread->locked)
        px_lock_take_own(thread);
    if (px_calls[number].format[0] == 'f')
        px_hold(thread, px_calls[number].format, a, b);
    result = body(a, b, c, d, e, f);
    if (thread->hold.ofd)
        px_hold_end(thread);
    if (__builtin_expect(px_threads.live == 1 && thread->number == 0, false))
        px_thread_alone();
    if (__builtin_expect(!thread->exit_work && !asks_restart(result), true))
        px_unlock();
    return result;
}

int64_t px_dispatch_slow(struct exo_regs *regs)
{
    uint32_t number = (uint32_t)px_arch_number(regs);
    int64_t result = -ENOSYS;
    px_call *body;
    uint64_t word[6];

    px_lock();
    if (px_entry_slow & PX_SLOW_COUNT && --px_calls_left == 0)
        for (;;)
            (void)!exo_env_destroy(PX_SLOT_SELF, SIGKILL);
    if (px_thread()->trace) {
        number = px_trace_enter(regs);
        if (number == ~0u) /* by the tracer's wish, or the program's */
            result = (int64_t)px_arch_result(regs);
    }
    body = number < px_calls_count ? px_bodies[number] : NULL;
    px_arch_arguments(regs, word);
    if (px_entry_slow & PX_SLOW_HOT) {
        px_entry_slow &= ~PX_SLOW_HOT;
        px_rewrite_hot(regs);
    }
    if (px_strace_on)
        px_strace_enter(number, word);
    if (body && px_lent)
        result = px_lend_call(body, word);
    else if (body)
        result = px_threads.many ? px_call_locked(word[0], word[1], word[2], word[3], word[4], word[5], body, number)
                                 : body(word[0], word[1], word[2], word[3], word[4], word[5]);
    else if (number < px_calls_count)
        px_missing[number]++;
    px_lock();
    if (px_strace_on)
        px_strace_exit(number, result);
    if (px_thread()->trace)
        result = px_trace_exit(regs, number, result);
    if (!px_thread()->exit_work && !asks_restart(result))
        px_unlock();
    return result;
}

bool px_take_events(void)
{
    struct px_thread *thread = px_thread();
    uint32_t bits = __atomic_exchange_n(&px_upage()->pending, 0, __ATOMIC_SEQ_CST) | thread->events;

    if (!bits)
        return false;
    thread->events = 0;
    thread->exit_work |= PX_WORK_SIGNALS;
    if (px_lent) { /* all but this is for whom the process page belongs to */
        thread->events = bits & ~PX_EVENT_DEMAND;
        bits &= PX_EVENT_DEMAND;
    }
    if (px_threads.many && bits & PX_EVENT_SIGNAL)
        px_signal_share();
    if (bits & PX_EVENT_TIMER)
        px_timer_expire(px_now_ns());
    if (bits & PX_EVENT_DEMAND)
        px_demand_answer();
    if (bits & PX_EVENT_LIMIT)
        px_limits_changed();
    if (bits & PX_EVENT_ASK)
        px_ask_answer();
    return bits & (PX_EVENT_DEMAND | PX_EVENT_LIMIT);
}

/* What other threads ask of this one, before it goes back to the program. */
static void attend(const struct px_thread *thread)
{
    if (thread->succeeded)
        px_thread_succeed();
    if (px_thread_attend())
        px_thread_end(0);
}

static void take_signals(struct exo_regs *regs, struct px_interrupted *call)
{
    if (px_lent) { /* the child goes on, or has become a process of its own and its parent does */
        px_signal_settle(regs, call);
        px_lend_attend();
        if (px_lent)
            return;
        px_take_events();
    }
    px_signal_deliver(regs, call);
}

static void finish(struct exo_regs *regs, struct px_interrupted *call)
{
    const struct px_thread *thread = px_thread();

    px_lock();
    do {
        px_take_events();
        if (px_threads.many)
            attend(thread);
        take_signals(regs, call);
    } while (px_threads.many && (thread->doomed || px_thread_stays(thread))); /* meanwhile */
    px_thread()->exit_work = 0;
    if (!px_arch_sanitize(regs)) {
        const struct px_siginfo info = {.signo = SIGSEGV, .code = SI_KERNEL};

        px_signal_force(&info);
        px_signal_deliver(regs, call);
        px_thread()->exit_work = 0;
        if (!px_arch_sanitize(regs))
            px_exit(SIGSEGV); /* the handler is nowhere, too */
    }
    if (px_thread()->trace && px_thread()->trace->step)
        px_step();
    px_unlock();
}

void px_leave(struct exo_regs *regs, int64_t result)
{
    struct px_interrupted call = {false, result, px_arch_number(regs)};

    if (!px_thread()->no_restart)
        switch (result) {
        case -PX_ERESTARTSYS:
        case -PX_ERESTARTNOINTR:
        case -PX_ERESTARTNOHAND:
        case -PX_ERESTART_BLOCK: call.restart = true; break;
        default: break;
        }
    px_thread()->no_restart = false;
    if (!(px_thread()->exit_work & PX_WORK_REGS)) /* else they are not this call's any more */
        px_arch_called(regs);
    px_arch_set_result(regs, result);
    finish(regs, &call);
}

void px_leave_again(struct exo_regs *regs)
{
    struct px_interrupted call = {false, 0, 0};

    finish(regs, &call);
}
