/*
 * Signals of this process. proc sets bits and siginfo in the process page and posts an event; everything else happens here, in the process itself: masks,
 * dispositions, taking, default actions, handler frames. The kernel knows nothing of signals.
 */
#include "core.h"
#include "px_arch.h"
#include "trace.h"

struct px_action px_actions[SIGRTMAX + 1];
static uint64_t ignored = PX_SIG_DEFAULT_IGNORED, caught; /* what the dispositions come to */

#define SYNCHRONOUS (PX_SIGBIT(SIGSEGV) | PX_SIGBIT(SIGBUS) | PX_SIGBIT(SIGILL) | PX_SIGBIT(SIGTRAP) | PX_SIGBIT(SIGFPE) | PX_SIGBIT(SIGSYS))

uint64_t px_signal_mask(void)
{
    return px_thread()->kept.blocked;
}

/* proc and /proc are told of the first thread's mask. */
void px_signal_set_mask(uint64_t mask)
{
    struct px_thread *thread = px_thread();

    thread->kept.blocked = mask & ~PX_SIG_UNBLOCKABLE;
    if (thread->number == 0 && !px_lent)
        px_ppage()->sig_blocked = thread->kept.blocked;
    if (px_signal_ready())
        thread->exit_work |= PX_WORK_SIGNALS;
    if (px_threads.many)
        px_signal_share();
}

void px_signal_mask_for_call(uint64_t mask)
{
    struct px_thread *thread = px_thread();

    if (!thread->kept.mask_saved) {
        thread->kept.saved_mask = thread->kept.blocked;
        thread->kept.mask_saved = true;
    }
    px_signal_set_mask(mask);
    thread->exit_work |= PX_WORK_MASK;
}

static bool is_ignored(int signo)
{
    uint64_t handler = px_actions[signo].handler;

    return handler == PX_SIG_IGN || (handler == PX_SIG_DFL && PX_SIGBIT(signo) & PX_SIG_DEFAULT_IGNORED);
}

/* A tracer is told of ignored signals, too. */
static bool goes_nowhere(int signo, uint64_t blocked)
{
    return is_ignored(signo) && !(blocked & PX_SIGBIT(signo)) && !px_traced;
}

void px_signal_publish(void)
{
    const struct px_action *child = &px_actions[SIGCHLD];
    struct px_ppage *page = px_ppage();

    if (px_lent)
        return; /* the page is the parent's */
    page->child_flags = (child->flags & SA_NOCLDSTOP ? PX_CHILD_NOSTOP : 0) |
                        (child->flags & SA_NOCLDWAIT || child->handler == PX_SIG_IGN ? PX_CHILD_NOWAIT : 0);
    page->sig_caught = caught;
    page->sig_ignored = px_traced ? 0 : ignored;
}

void px_signal_keep(struct px_signal_kept *kept)
{
    memcpy(kept->actions, px_actions, sizeof(px_actions));
    kept->ignored = ignored;
    kept->caught = caught;
}

void px_signal_give(const struct px_signal_kept *kept)
{
    memcpy(px_actions, kept->actions, sizeof(px_actions));
    ignored = kept->ignored;
    caught = kept->caught;
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
    const struct px_thread *thread = px_thread();

    return (__atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) | thread->pending) & ~thread->kept.blocked;
}

void px_signal_discard(uint64_t set)
{
    __atomic_fetch_and(&px_ppage()->sig_pending, ~set, __ATOMIC_SEQ_CST);
}

/* Threads in sigtimedwait sleep on it. */
static void tell_waiters(void)
{
    struct px_ppage *page = px_ppage();

    __atomic_fetch_add(&page->sig_seq, 1, __ATOMIC_SEQ_CST);
    if (px_threads.many)
        exo_wake_all(&page->sig_seq);
}

void px_signal_post(const struct px_siginfo *info)
{
    struct px_ppage *page = px_ppage();

    if (goes_nowhere(info->signo, px_signal_mask()))
        return;
    page->sig_info[info->signo] = *info;
    __atomic_fetch_or(&page->sig_pending, PX_SIGBIT(info->signo), __ATOMIC_SEQ_CST);
    tell_waiters();
    px_thread()->exit_work |= PX_WORK_SIGNALS;
    if (px_threads.many)
        px_signal_share();
}

/* A standard signal that has no room waits without its siginfo, as on Linux. */
int64_t px_signal_post_thread(struct px_thread *thread, const struct px_siginfo *info)
{
    uint64_t bit = PX_SIGBIT(info->signo);

    if (goes_nowhere(info->signo, thread->kept.blocked))
        return 0;
    if (info->signo < SIGRTMIN && thread->pending & bit)
        return 0;
    if (thread->queued < PX_THREAD_QUEUE)
        thread->queue[thread->queued++] = *info;
    else if (info->signo >= SIGRTMIN)
        return -EAGAIN;
    thread->pending |= bit;
    if (thread == px_thread())
        thread->exit_work |= PX_WORK_SIGNALS;
    else if (!(thread->kept.blocked & bit))
        px_thread_poke(thread, PX_EVENT_THREAD);
    if (thread->kept.blocked & bit)
        tell_waiters();
    return 0;
}

void px_signal_share(void)
{
    const struct px_thread *self = px_thread();
    uint64_t left = __atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST);

    if (self->live)
        left &= self->kept.blocked;
    for (unsigned number = 0; left && number < px_threads.made; number++) {
        const struct px_thread *thread = px_thread_number(number);

        if (!thread->live || thread == self || !(left & ~thread->kept.blocked))
            continue;
        px_thread_poke(thread, PX_EVENT_THREAD);
        left &= thread->kept.blocked;
    }
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

    if (px_threads.many && signo == SIGPIPE)
        (void)!px_signal_post_thread(px_thread(), &info);
    else
        px_signal_post(&info);
}

void px_signal_force(const struct px_siginfo *info)
{
    const struct px_action *action = &px_actions[info->signo];

    if (px_lent) {
        px_lend_force(info);
        return;
    }
    if (px_signal_mask() & PX_SIGBIT(info->signo) || action->handler == PX_SIG_IGN) {
        px_signal_set_action(info->signo, &(struct px_action){0});
        px_signal_set_mask(px_signal_mask() & ~PX_SIGBIT(info->signo));
    }
    if (px_threads.many)
        (void)!px_signal_post_thread(px_thread(), info);
    else
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

static int first_of(uint64_t waiting)
{
    return __builtin_ctzll(waiting & SYNCHRONOUS ? waiting & SYNCHRONOUS : waiting) + 1;
}

/* The next signal for this thread alone: the oldest of its number. */
static void take_own(struct px_thread *thread, uint64_t set, struct px_siginfo *info)
{
    int signo = first_of(thread->pending & set);
    unsigned at = 0, left = 0;

    *info = (struct px_siginfo){.signo = signo};
    while (at < thread->queued && thread->queue[at].signo != signo)
        at++;
    if (at < thread->queued) {
        *info = thread->queue[at];
        thread->queued--;
        memmove(&thread->queue[at], &thread->queue[at + 1], (thread->queued - at) * sizeof(thread->queue[0]));
    }
    for (unsigned i = 0; i < thread->queued; i++)
        left += thread->queue[i].signo == signo;
    if (left == 0)
        thread->pending &= ~PX_SIGBIT(signo);
    if (info->code == SI_TIMER)
        px_posix_timer_taken(info);
}

bool px_signal_take(uint64_t set, struct px_siginfo *info)
{
    uint64_t waiting = __atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) & set;
    int signo;

    if (px_thread()->pending & set) {
        take_own(px_thread(), set, info);
        return true;
    }
    if (!waiting)
        return false;
    signo = first_of(waiting);
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

    if (px_call_proc(&message) < 0 || message.word[1] != 0)
        return; /* an orphaned group does not stop; nor does who has been continued since */
    if (px_strace_on)
        px_strace_stopped(signo);
    px_thread_stop((uint32_t)message.word[2], signo);
}

/* Of a signal that was not caught. */
static _Noreturn void end(const struct px_siginfo *info)
{
    px_exit(info->signo | (PX_SIGBIT(info->signo) & PX_SIG_DUMPS ? px_core_dump(info) : 0));
}

static void act_by_default(const struct px_siginfo *info)
{
    uint64_t bit = PX_SIGBIT(info->signo);

    if (bit & PX_SIG_DEFAULT_IGNORED)
        return;
    if (bit & PX_SIG_STOPS)
        stop(info->signo);
    else
        end(info);
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
    struct px_thread_kept *kept = &px_thread()->kept;
    uint64_t old = kept->mask_saved ? kept->saved_mask : kept->blocked;

    settle_for_handler(regs, call, action.flags);
    if (action.flags & SA_RESETHAND) {
        struct px_action reset = action;

        reset.handler = PX_SIG_DFL;
        px_signal_set_action(info->signo, &reset);
    }
    if (px_arch_push_frame(regs, info, &action, old, &kept->altstack) < 0) {
        const struct px_siginfo fatal = {.signo = SIGSEGV, .code = SI_KERNEL};

        if (info->signo == SIGSEGV)
            end(&fatal);
        px_signal_force(&fatal);
        return;
    }
    kept->mask_saved = false;
    px_signal_set_mask(kept->blocked | action.mask | (action.flags & SA_NODEFER ? 0 : PX_SIGBIT(info->signo)));
    if (kept->altstack.flags & SS_AUTODISARM)
        kept->altstack = (struct px_altstack){.flags = SS_DISABLE};
    if (px_thread()->trace)
        px_trace_handler();
}

/* Without a handler the call simply goes on. */
void px_signal_settle(struct exo_regs *regs, struct px_interrupted *call)
{
    if (!call->restart)
        return;
    call->restart = false;
    px_arch_restart(regs, call->result == -PX_ERESTART_BLOCK ? PX_NR_RESTART : call->number);
}

/* The next signal that something is to be done about. */
static bool take_next(struct exo_regs *regs, struct px_interrupted *call, struct px_siginfo *info)
{
    for (;;) {
        if (px_thread()->trace)
            px_trace_attend(regs, call);
        if (!px_signal_take(~px_thread()->kept.blocked, info))
            return false;
        if (!px_thread()->trace || px_trace_signal(regs, call, info))
            return true;
    }
}

void px_signal_deliver(struct exo_regs *regs, struct px_interrupted *call)
{
    struct px_thread_kept *kept = &px_thread()->kept;
    struct px_siginfo info;

    while (take_next(regs, call, &info)) {
        uint64_t handler = px_actions[info.signo].handler;

        if (px_strace_on)
            px_strace_signal(info.signo, &info);
        if (PX_SIGBIT(info.signo) & PX_SIG_UNBLOCKABLE || handler == PX_SIG_DFL)
            act_by_default(&info);
        else if (handler != PX_SIG_IGN)
            run_handler(regs, &info, call);
    }
    if (kept->mask_saved) {
        kept->mask_saved = false;
        px_signal_set_mask(kept->saved_mask);
        if (px_signal_ready()) {
            px_signal_deliver(regs, call);
            return;
        }
    }
    px_signal_settle(regs, call);
}

void px_signal_clear(void)
{
    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        uint64_t handler = px_actions[signo].handler == PX_SIG_IGN ? PX_SIG_IGN : PX_SIG_DFL;

        px_signal_set_action(signo, &(struct px_action){.handler = handler});
    }
}

void px_signal_exec(void)
{
    px_signal_clear();
    px_thread()->kept.altstack = (struct px_altstack){.flags = SS_DISABLE};
    px_posix_timer_exec();
    px_arch_exec();
}

void px_signal_fork_child(void)
{
    struct px_thread_kept *kept = &px_thread()->kept;

    if (kept->mask_saved)
        px_signal_set_mask(kept->saved_mask);
    kept->mask_saved = false;
    px_ppage()->sig_blocked = kept->blocked;
    px_signal_publish();
}
