/* The system calls on signals. A signal set is 8 bytes; any other size is EINVAL, as on Linux. */
#include "px_arch.h"
#include "px_calls.h"
#include "trace.h"

#define SET_BYTES 8u
#define NS 1000000000ull

/* NOCLDSTOP NOCLDWAIT SIGINFO EXPOSE_TAGBITS RESTORER ONSTACK RESTART NODEFER RESETHAND */
#define SA_KNOWN 0xdc000807ul

static bool valid_signal(uint64_t signo)
{
    return signo >= 1 && signo <= SIGRTMAX;
}

int64_t px_sys_rt_sigaction(uint64_t signo, uint64_t from, uint64_t old, uint64_t set_bytes, uint64_t e, uint64_t f)
{
    struct px_action before, action;

    (void)e, (void)f;
    if (set_bytes != SET_BYTES || !valid_signal(signo))
        return -EINVAL;
    if (from && px_copy_in(&action, from, sizeof(action)) < 0)
        return -EFAULT;
    if (from && PX_SIGBIT(signo) & PX_SIG_UNBLOCKABLE)
        return -EINVAL;
    before = px_actions[signo];
    if (from) {
        action.mask &= ~PX_SIG_UNBLOCKABLE;
        action.flags &= SA_KNOWN; /* a program finds out so what there is */
        px_signal_set_action((int)signo, &action);
        if (!px_lent && px_ppage()->sig_ignored & PX_SIGBIT(signo))
            px_signal_discard(PX_SIGBIT(signo));
    }
    return old ? px_copy_out(old, &before, sizeof(before)) : 0;
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

int64_t px_sys_rt_sigprocmask(uint64_t how, uint64_t from, uint64_t old, uint64_t set_bytes, uint64_t e, uint64_t f)
{
    uint64_t before = px_signal_mask(), set = 0, next = before;

    (void)e, (void)f;
    if (set_bytes != SET_BYTES)
        return -EINVAL;
    if (from) {
        if (px_copy_in(&set, from, sizeof(set)) < 0)
            return -EFAULT;
        switch (how) {
        case SIG_BLOCK: next = before | set; break;
        case SIG_UNBLOCK: next = before & ~set; break;
        case SIG_SETMASK: next = set; break;
        default: return -EINVAL;
        }
        px_signal_set_mask(next);
    }
    return old ? px_copy_out(old, &before, sizeof(before)) : 0;
}

int64_t px_sys_rt_sigpending(uint64_t to, uint64_t set_bytes, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t set = (__atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) | px_thread()->pending) & px_signal_mask();

    (void)c, (void)d, (void)e, (void)f;
    return set_bytes > SET_BYTES ? -EINVAL : px_copy_out(to, &set, set_bytes);
}

static int64_t sleep_for_signal(void)
{
    const struct exo_predicate none = {(uint64_t)&px_ppage()->version, px_ppage()->version, EXO_WAIT_WORD};

    for (;;) {
        int64_t status = px_wait(&none, 1, PX_DEADLINE_NEVER);

        if (status == -PX_ERESTARTSYS)
            return -PX_ERESTARTNOHAND;
    }
}

int64_t px_sys_rt_sigsuspend(uint64_t from, uint64_t set_bytes, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint64_t mask;

    (void)c, (void)d, (void)e, (void)f;
    if (set_bytes != SET_BYTES)
        return -EINVAL;
    if (px_copy_in(&mask, from, sizeof(mask)) < 0)
        return -EFAULT;
    px_signal_mask_for_call(mask);
    return sleep_for_signal();
}

int64_t px_sys_pause(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return sleep_for_signal();
}

static bool waits(uint64_t set)
{
    return (__atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) | px_thread()->pending) & set;
}

int64_t px_sys_rt_sigtimedwait(uint64_t from, uint64_t info_out, uint64_t timeout, uint64_t set_bytes, uint64_t e, uint64_t f)
{
    uint64_t set, deadline = PX_DEADLINE_NEVER;
    struct px_siginfo info;
    struct px_timespec time;
    uint8_t text[128];

    (void)e, (void)f;
    if (set_bytes != SET_BYTES)
        return -EINVAL;
    if (px_copy_in(&set, from, sizeof(set)) < 0)
        return -EFAULT;
    if (timeout) {
        if (px_copy_in(&time, timeout, sizeof(time)) < 0)
            return -EFAULT;
        if (time.tv_sec < 0 || (uint64_t)time.tv_nsec >= NS)
            return -EINVAL;
        if ((uint64_t)time.tv_sec < UINT32_MAX)
            deadline = px_now_ns() + (uint64_t)time.tv_sec * NS + (uint64_t)time.tv_nsec;
    }
    set &= ~PX_SIG_UNBLOCKABLE;
    while (!px_signal_take(set, &info)) {
        /* A blocked signal of the set ends no px_wait by itself: sig_seq tells of every signal that proc posts. */
        uint32_t seq = __atomic_load_n(&px_ppage()->sig_seq, __ATOMIC_SEQ_CST);
        int64_t status;

        if (waits(set))
            continue;
        status = px_wait_word(&px_ppage()->sig_seq, seq, deadline);
        if (status == -ETIMEDOUT)
            return -EAGAIN;
        if (status < 0 && !waits(set))
            return -EINTR;
    }
    px_arch_siginfo_out(&info, text);
    if (info_out && px_copy_out(info_out, text, sizeof(text)) < 0)
        return -EFAULT;
    return info.signo;
}

static bool on_altstack(void)
{
    const struct px_altstack *altstack = &px_thread()->kept.altstack;

    return px_arch_stack(px_regs()) - altstack->base < altstack->bytes;
}

int64_t px_sys_sigaltstack(uint64_t from, uint64_t old, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct px_altstack *present = &px_thread()->kept.altstack, before = *present, next;

    (void)c, (void)d, (void)e, (void)f;
    before.flags = before.bytes == 0 ? SS_DISABLE : on_altstack() ? SS_ONSTACK : before.flags & SS_AUTODISARM;
    if (from) {
        if (px_copy_in(&next, from, sizeof(next)) < 0)
            return -EFAULT;
        if (on_altstack())
            return -EPERM;
        switch (next.flags & ~SS_AUTODISARM) {
        case SS_DISABLE: next = (struct px_altstack){.flags = SS_DISABLE}; break;
        case 0:
        case SS_ONSTACK:
            if (next.bytes < MINSIGSTKSZ)
                return -ENOMEM;
            break;
        default: return -EINVAL;
        }
    }
    if (old && px_copy_out(old, &before, sizeof(before)) < 0)
        return -EFAULT;
    if (from)
        *present = next;
    return 0;
}

int64_t px_sys_rt_sigreturn(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct exo_regs *regs = px_regs();
    struct px_altstack altstack;
    uint64_t mask;

    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    px_no_restart();
    if (px_arch_pop_frame(regs, &mask, &altstack) < 0) {
        const struct px_siginfo info = {.signo = SIGSEGV, .code = SI_KERNEL};

        px_signal_force(&info);
        return 0;
    }
    px_signal_set_mask(mask);
    if (!on_altstack() && (altstack.flags & SS_DISABLE || altstack.bytes >= MINSIGSTKSZ)) {
        px_thread()->kept.altstack = altstack;
        if (altstack.flags & SS_DISABLE)
            px_thread()->kept.altstack = (struct px_altstack){.flags = SS_DISABLE};
    }
    return (int64_t)px_arch_result(regs);
}

static int64_t kill_by_proc(int32_t pid, const struct px_siginfo *info)
{
    uint64_t flags = info->code == SI_USER ? 0 : info->code == SI_TKILL ? PX_KILL_TKILL : PX_KILL_SIGQUEUE;
    struct exo_message message = {.word = {PX_PROC_KILL, (uint64_t)(int64_t)pid, PX_KILL_WORD((uint32_t)info->signo, info->errno_),
                                           PX_KILL_WORD(flags, info->code), info->value}};

    return px_call_proc(&message);
}

/* A signal from this process. */
static struct px_siginfo own_signal(uint64_t signo, int code)
{
    return (struct px_siginfo){.signo = (int)signo, .code = code, .pid = px_self()->pid, .uid = (int32_t)px_self()->uid};
}

/* To this process itself: no need to ask anybody. */
static int64_t kill_self(const struct px_siginfo *info)
{
    uint32_t signo = (uint32_t)info->signo;

    if (signo > SIGRTMAX)
        return -EINVAL;
    if (signo == 0)
        return 0;
    if (signo >= SIGRTMIN || PX_SIGBIT(signo) & (PX_SIG_STOPS | PX_SIGBIT(SIGCONT) | PX_SIGBIT(SIGKILL)))
        return kill_by_proc(px_self()->pid, info);
    px_signal_post(info);
    return 0;
}

int64_t px_sys_kill(uint64_t pid, uint64_t signo, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const struct px_siginfo info = own_signal((uint32_t)signo, SI_USER);

    (void)c, (void)d, (void)e, (void)f;
    if ((int32_t)pid == px_self()->pid || ((int32_t)pid > 0 && px_thread_find((int32_t)pid))) /* a thread names its process, too */
        return kill_self(&info);
    return kill_by_proc((int32_t)pid, &info);
}

/* To a thread of this process. What stops, continues or kills does so to all of them. */
static int64_t kill_thread(struct px_thread *thread, const struct px_siginfo *info)
{
    uint32_t signo = (uint32_t)info->signo;

    if (signo > SIGRTMAX)
        return -EINVAL;
    if (!px_threads.many || (signo && PX_SIGBIT(signo) & (PX_SIG_STOPS | PX_SIGBIT(SIGCONT) | PX_SIGBIT(SIGKILL))))
        return kill_self(info);
    return signo ? px_signal_post_thread(thread, info) : 0;
}

int64_t px_signal_from_outside(struct px_thread *thread, const struct px_siginfo *info)
{
    if (info->signo < 0 || info->signo > SIGRTMAX)
        return -EINVAL;
    if (info->signo == 0)
        return 0;
    if (!thread->trace && PX_SIGBIT(info->signo) & (PX_SIG_STOPS | PX_SIGBIT(SIGCONT)))
        return kill_by_proc(px_self()->pid, info);
    return px_signal_post_thread(thread, info);
}

/* To a thread of another process, which knows its own. What kills needs nobody's help. */
static int64_t kill_foreign(int32_t tgid, int32_t tid, const struct px_siginfo *info)
{
    uint32_t signo = (uint32_t)info->signo;
    struct px_question *question;
    int64_t result;

    if (signo > SIGRTMAX)
        return -EINVAL;
    if (tgid && tgid != tid && (tid < PX_TID_FIRST || PX_PROC(PX_PROCTAB, PX_TID_INDEX(tid) % PX_PROCS_MAX)->pid != tgid))
        return -ESRCH;
    if (tid < PX_TID_FIRST && (signo == SIGKILL || signo == SIGCONT || signo == 0))
        return kill_by_proc(tid, info);
    if (signo == SIGKILL)
        return kill_by_proc(PX_PROC(PX_PROCTAB, PX_TID_INDEX(tid) % PX_PROCS_MAX)->pid, info);
    question = px_alloc(sizeof(*question));
    if (!question)
        return -ENOMEM;
    *question = (struct px_question){.kind = PX_ASK_SIGNAL, .word = {signo, PX_KILL_WORD((uint32_t)info->code, info->errno_), info->value}};
    result = px_ask(tid, question);
    px_free(question);
    return result > 0 ? 0 : result;
}

int64_t px_sys_tkill(uint64_t tid, uint64_t signo, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct px_thread *thread = px_thread_find((int32_t)tid);
    const struct px_siginfo info = own_signal((uint32_t)signo, SI_TKILL);

    (void)c, (void)d, (void)e, (void)f;
    if ((int32_t)tid <= 0)
        return -EINVAL;
    if (thread)
        return kill_thread(thread, &info);
    return (int32_t)tid == px_self()->pid ? ((uint32_t)signo > SIGRTMAX ? -EINVAL : 0) : kill_foreign(0, (int32_t)tid, &info);
}

int64_t px_sys_tgkill(uint64_t tgid, uint64_t tid, uint64_t signo, uint64_t d, uint64_t e, uint64_t f)
{
    const struct px_siginfo info = own_signal((uint32_t)signo, SI_TKILL);

    if ((int32_t)tgid <= 0 || (int32_t)tid <= 0)
        return -EINVAL;
    if ((int32_t)tgid != px_self()->pid && (int32_t)tid != px_self()->pid)
        return kill_foreign((int32_t)tgid, (int32_t)tid, &info);
    if ((int32_t)tgid != (int32_t)tid && !px_thread_find((int32_t)tid))
        return -ESRCH;
    return (int32_t)tgid == px_self()->pid ? px_sys_tkill(tid, signo, 0, d, e, f) : -ESRCH;
}

/* A signal as the program describes it; who sends it is not its to say. */
static int64_t described_signal(struct px_siginfo *info, uint64_t signo, px_user from)
{
    struct { int32_t signo, errno_, code, pad, pid, uid; uint64_t value; } told;

    if (px_copy_in(&told, from, sizeof(told)) < 0)
        return -EFAULT;
    *info = own_signal((uint32_t)signo, told.code == SI_TIMER ? SI_QUEUE : told.code); /* a timer's is not made by hand */
    info->errno_ = told.errno_;
    info->value = told.value;
    return 0;
}

/* Only to oneself may a signal look as if the kernel or kill had sent it. */
static bool may_describe(const struct px_siginfo *info, int32_t pid)
{
    return pid == px_self()->pid || (info->code < 0 && info->code != SI_TKILL);
}

int64_t px_sys_rt_sigqueueinfo(uint64_t pid, uint64_t signo, uint64_t from, uint64_t d, uint64_t e, uint64_t f)
{
    struct px_siginfo info;
    int64_t result = described_signal(&info, signo, from);

    (void)d, (void)e, (void)f;
    if (result < 0)
        return result;
    if (!may_describe(&info, (int32_t)pid))
        return -EPERM;
    if ((int32_t)pid == px_self()->pid)
        return kill_self(&info);
    return (int32_t)pid <= 0 ? -EINVAL : kill_by_proc((int32_t)pid, &info);
}

/* pthread_sigqueue. */
int64_t px_sys_rt_tgsigqueueinfo(uint64_t tgid, uint64_t tid, uint64_t signo, uint64_t from, uint64_t e, uint64_t f)
{
    struct px_thread *thread = px_thread_find((int32_t)tid);
    struct px_siginfo info;
    int64_t result = described_signal(&info, signo, from);

    (void)e, (void)f;
    if (result < 0)
        return result;
    if ((int32_t)tgid <= 0 || (int32_t)tid <= 0)
        return -EINVAL;
    if (!may_describe(&info, (int32_t)tgid))
        return -EPERM;
    if ((int32_t)tgid != px_self()->pid)
        return kill_foreign((int32_t)tgid, (int32_t)tid, &info);
    return thread ? kill_thread(thread, &info) : -ESRCH;
}
