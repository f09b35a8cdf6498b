/* The slow ways through a system call: tracing, missing calls, and all that may have to be done before the program goes on. */
#include "px_arch.h"
#include "px_calls.h"

uint32_t px_exit_work;
static bool no_restart;

void px_no_restart(void)
{
    no_restart = true;
}

int64_t px_dispatch_slow(struct exo_regs *regs)
{
    uint32_t number = (uint32_t)px_arch_number(regs);
    int64_t result = -ENOSYS;
    bool traced = px_strace_on;
    uint64_t word[6];

    px_arch_arguments(regs, word);
    if (traced)
        px_strace_enter(number, word);
    if (number < px_calls_count) {
        px_call *body = px_calls[number].body;

        if (body)
            result = body(word[0], word[1], word[2], word[3], word[4], word[5]);
        else
            px_missing[number]++;
    }
    if (traced)
        px_strace_exit(number, result);
    return result;
}

bool px_take_events(void)
{
    uint32_t bits = __atomic_exchange_n(&px_upage()->pending, 0, __ATOMIC_SEQ_CST);

    if (!bits)
        return false;
    px_exit_work |= PX_WORK_SIGNALS;
    if (bits & PX_EVENT_TIMER)
        px_timer_expire(px_now_ns());
    if (bits & PX_EVENT_DEMAND)
        px_demand_answer();
    return bits & PX_EVENT_DEMAND;
}

static void finish(struct exo_regs *regs, struct px_interrupted *call)
{
    px_take_events();
    px_signal_deliver(regs, call);
    px_exit_work = 0;
    if (!px_arch_sanitize(regs)) {
        const struct px_siginfo info = {.signo = SIGSEGV, .code = SI_KERNEL};

        px_signal_force(&info);
        px_signal_deliver(regs, call);
        px_exit_work = 0;
        if (!px_arch_sanitize(regs))
            px_exit(SIGSEGV); /* the handler is nowhere, too */
    }
}

void px_leave(struct exo_regs *regs, int64_t result)
{
    struct px_interrupted call = {false, result, px_arch_number(regs)};

    if (!no_restart)
        switch (result) {
        case -PX_ERESTARTSYS:
        case -PX_ERESTARTNOINTR:
        case -PX_ERESTARTNOHAND:
        case -PX_ERESTART_BLOCK: call.restart = true; break;
        default: break;
        }
    no_restart = false;
    px_arch_set_result(regs, result);
    finish(regs, &call);
}

void px_leave_again(struct exo_regs *regs)
{
    struct px_interrupted call = {false, 0, 0};

    finish(regs, &call);
}
