/*
 * Signals of this process. proc sets bits and siginfo in the process page and posts an event; everything else happens here, in the process itself: masks,
 * dispositions, taking, default actions, handler frames. The kernel knows nothing of signals.
 */
#include "px_arch.h"

struct px_action px_actions[SIGRTMAX + 1];
struct px_altstack px_altstack;
static uint64_t blocked;      /* what the program blocks; while mask_saved, for this call only */
static uint64_t saved_mask;   /* the mask to come back to */
static bool mask_saved;
static uint64_t ignored = PX_SIG_DEFAULT_IGNORED, caught; /* what the dispositions come to */

#define SYNCHRONOUS (PX_SIGBIT(SIGSEGV) | PX_SIGBIT(SIGBUS) | PX_SIGBIT(SIGILL) | PX_SIGBIT(SIGTRAP) | PX_SIGBIT(SIGFPE) | PX_SIGBIT(SIGSYS))

uint64_t px_signal_mask(void)
{
    return blocked;
}

void px_signal_set_mask(uint64_t mask)
{
    blocked = mask & ~PX_SIG_UNBLOCKABLE;
    px_ppage()->sig_blocked = blocked;
    if (px_signal_ready())
        px_exit_work |= PX_WORK_SIGNALS;
}

void px_signal_mask_for_call(uint64_t mask)
{
    if (!mask_saved) {
        saved_mask = blocked;
        mask_saved = true;
    }
    px_signal_set_mask(mask);
    px_exit_work |= PX_WORK_MASK;
}

static bool is_ignored(int signo)
{
    uint64_t handler = px_actions[signo].handler;

    return handler == PX_SIG_IGN || (handler == PX_SIG_DFL && PX_SIGBIT(signo) & PX_SIG_DEFAULT_IGNORED);
}

void px_signal_publish(void)
{
    const struct px_action *child = &px_actions[SIGCHLD];
    struct px_ppage *page = px_ppage();

    page->child_flags = (child->flags & SA_NOCLDSTOP ? PX_CHILD_NOSTOP : 0) |
                        (child->flags & SA_NOCLDWAIT || child->handler == PX_SIG_IGN ? PX_CHILD_NOWAIT : 0);
    page->sig_caught = caught;
    page->sig_ignored = ignored;
}

void px_signal_set_action(int signo, const struct px_action *action)
{
    uint64_t bit = PX_SIGBIT(signo);

    px_actions[signo] = *action;
    ignored &= ~bit;
    caught &= ~bit;
    if (is_ignored(signo))
        ignored |= bit;
    else if (action->handler != PX_SIG_DFL)
        caught |= bit;
    px_signal_publish();
}

uint64_t px_signal_ready(void)
{
    return __atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) & ~blocked;
}

void px_signal_discard(uint64_t set)
{
    __atomic_fetch_and(&px_ppage()->sig_pending, ~set, __ATOMIC_SEQ_CST);
}

void px_signal_post(const struct px_siginfo *info)
{
    struct px_ppage *page = px_ppage();

    if (is_ignored(info->signo) && !(blocked & PX_SIGBIT(info->signo)))
        return;
    page->sig_info[info->signo] = *info;
    __atomic_fetch_or(&page->sig_pending, PX_SIGBIT(info->signo), __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&page->sig_seq, 1, __ATOMIC_SEQ_CST); /* sigtimedwait may sleep on it */
    px_exit_work |= PX_WORK_SIGNALS;
}

/* Of the signals that a process raises in itself, those of its timers and limits. */
static bool from_kernel(int signo)
{
    return signo == SIGALRM || signo == SIGVTALRM || signo == SIGPROF || signo == SIGXCPU;
}

void px_raise(int signo)
{
    const struct px_siginfo info = {.signo = signo, .code = from_kernel(signo) ? SI_KERNEL : SI_USER,
                                    .pid = px_self()->pid, .uid = (int32_t)px_self()->uid};

    px_signal_post(&info);
}

void px_signal_force(const struct px_siginfo *info)
{
    const struct px_action *action = &px_actions[info->signo];

    if (blocked & PX_SIGBIT(info->signo) || action->handler == PX_SIG_IGN) {
        px_signal_set_action(info->signo, &(struct px_action){0});
        px_signal_set_mask(blocked & ~PX_SIGBIT(info->signo));
    }
    px_signal_post(info);
}

/* The oldest queued real-time signal of this number. */
static bool take_queued(int signo, struct px_siginfo *info)
{
    struct px_ppage *page = px_ppage();
    uint32_t tail = __atomic_load_n(&page->queue_tail, __ATOMIC_SEQ_CST);
    bool found = false;

    for (uint32_t at = page->queue_head; at != tail && tail - at <= PX_SIGQUEUE; at++) {
        struct px_siginfo *entry = &page->queue[at % PX_SIGQUEUE];

        if (entry->signo != signo)
            continue;
        if (found) { /* a further one: the bit was cleared too early */
            __atomic_fetch_or(&page->sig_pending, PX_SIGBIT(signo), __ATOMIC_SEQ_CST);
            break;
        }
        *info = *entry;
        entry->signo = 0;
        found = true;
    }
    while (page->queue_head != tail && page->queue[page->queue_head % PX_SIGQUEUE].signo == 0)
        __atomic_store_n(&page->queue_head, page->queue_head + 1, __ATOMIC_SEQ_CST);
    return found;
}

bool px_signal_take(uint64_t set, struct px_siginfo *info)
{
    uint64_t waiting = __atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) & set;
    int signo;

    if (!waiting)
        return false;
    signo = __builtin_ctzll(waiting & SYNCHRONOUS ? waiting & SYNCHRONOUS : waiting) + 1;
    px_signal_discard(PX_SIGBIT(signo));
    if (signo >= SIGRTMIN && take_queued(signo, info))
        return true;
    *info = px_ppage()->sig_info[signo];
    info->signo = signo;
    if (info->code == SI_TIMER)
        px_posix_timer_taken(info);
    return true;
}

/* Sleeps until SIGCONT. SIGKILL ends the process wherever it is. */
static void stop(int signo)
{
    struct exo_message message = {.word = {PX_PROC_STOPPED, 0x7fu | (unsigned)signo << 8, (unsigned)signo}};
    uint32_t seq;

    if (px_call_proc(&message) < 0 || message.word[1] != 0)
        return; /* an orphaned group does not stop; nor does who has been continued since */
    seq = (uint32_t)message.word[2];
    while (__atomic_load_n(&px_ppage()->cont_seq, __ATOMIC_SEQ_CST) == seq) {
        const struct exo_predicate predicate = {(uint64_t)&px_ppage()->cont_seq, seq, EXO_WAIT_WORD};

        if (exo_wait(&predicate, 1, EXO_DEADLINE_NEVER) == -EXO_E_EVENT)
            px_take_events();
    }
}

static void act_by_default(const struct px_siginfo *info)
{
    uint64_t bit = PX_SIGBIT(info->signo);

    if (bit & PX_SIG_DEFAULT_IGNORED)
        return;
    if (px_strace_on)
        px_strace_signal(info->signo, info);
    if (bit & PX_SIG_STOPS)
        stop(info->signo);
    else
        px_exit(info->signo);
}

/* What becomes of the call that the signal broke off, now that a handler runs. */
static void settle_for_handler(struct exo_regs *regs, struct px_interrupted *call, uint64_t flags)
{
    if (!call->restart)
        return;
    call->restart = false;
    if (call->result == -PX_ERESTARTNOINTR || (call->result == -PX_ERESTARTSYS && flags & SA_RESTART))
        px_arch_restart(regs, call->number);
    else
        px_arch_set_result(regs, -EINTR);
}

static void run_handler(struct exo_regs *regs, const struct px_siginfo *info, struct px_interrupted *call)
{
    const struct px_action action = px_actions[info->signo];
    uint64_t old = mask_saved ? saved_mask : blocked;

    if (px_strace_on)
        px_strace_signal(info->signo, info);
    settle_for_handler(regs, call, action.flags);
    if (action.flags & SA_RESETHAND) {
        struct px_action reset = action;

        reset.handler = PX_SIG_DFL;
        px_signal_set_action(info->signo, &reset);
    }
    if (px_arch_push_frame(regs, info, &action, old, &px_altstack) < 0) {
        const struct px_siginfo fatal = {.signo = SIGSEGV, .code = SI_KERNEL};

        if (info->signo == SIGSEGV)
            px_exit(SIGSEGV);
        px_signal_force(&fatal);
        return;
    }
    mask_saved = false;
    px_signal_set_mask(blocked | action.mask | (action.flags & SA_NODEFER ? 0 : PX_SIGBIT(info->signo)));
    if (px_altstack.flags & SS_AUTODISARM)
        px_altstack = (struct px_altstack){.flags = SS_DISABLE};
}

/* Without a handler the call simply goes on. */
static void settle_without_handler(struct exo_regs *regs, struct px_interrupted *call)
{
    if (!call->restart)
        return;
    call->restart = false;
    px_arch_restart(regs, call->result == -PX_ERESTART_BLOCK ? PX_NR_RESTART : call->number);
}

void px_signal_deliver(struct exo_regs *regs, struct px_interrupted *call)
{
    struct px_siginfo info;

    while (px_signal_take(~blocked, &info)) {
        uint64_t handler = px_actions[info.signo].handler;

        if (PX_SIGBIT(info.signo) & PX_SIG_UNBLOCKABLE || handler == PX_SIG_DFL)
            act_by_default(&info);
        else if (handler != PX_SIG_IGN)
            run_handler(regs, &info, call);
    }
    if (mask_saved) {
        mask_saved = false;
        px_signal_set_mask(saved_mask);
        if (px_signal_ready()) {
            px_signal_deliver(regs, call);
            return;
        }
    }
    settle_without_handler(regs, call);
}

void px_signal_exec(void)
{
    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        uint64_t handler = px_actions[signo].handler == PX_SIG_IGN ? PX_SIG_IGN : PX_SIG_DFL;

        px_signal_set_action(signo, &(struct px_action){.handler = handler});
    }
    px_altstack = (struct px_altstack){.flags = SS_DISABLE};
    px_posix_timer_exec();
    px_arch_exec();
}

void px_signal_fork_child(void)
{
    if (mask_saved)
        px_signal_set_mask(saved_mask);
    mask_saved = false;
    px_ppage()->sig_blocked = blocked;
    px_signal_publish();
}
