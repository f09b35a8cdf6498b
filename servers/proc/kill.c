/* Signals: who may send them, and what proc does with each before the target's libOS does the rest. */
#include "proc.h"

#define BIT(n) PX_SIGBIT(n)
#define STOPS (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

static void bump(uint32_t *word)
{
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    machine_wake(word);
}

/* A stop takes a waiting SIGCONT back and the other way round; SIGCONT continues, even if it is blocked or ignored. */
static void settle_stop(uint32_t index, int signo)
{
    struct px_ppage *page = machine_ppage(index);

    if (BIT(signo) & STOPS) {
        __atomic_fetch_and(&page->sig_pending, ~BIT(SIGCONT), __ATOMIC_SEQ_CST);
        processes[index].stops |= BIT(signo);
    }
    if (signo != SIGCONT)
        return;
    __atomic_fetch_and(&page->sig_pending, ~STOPS, __ATOMIC_SEQ_CST);
    processes[index].stops = 0;
    processes[index].cont_seq++;
    __atomic_store_n(&page->cont_seq, processes[index].cont_seq, __ATOMIC_SEQ_CST);
    machine_wake(&page->cont_seq);
    if (processes[index].state == PX_STOPPED)
        life_continued(index);
    trace_continued(index);
}

/* Real-time signals queue; when the queue is full the bit still tells of one. */
static void enqueue(struct px_ppage *page, const struct px_siginfo *info)
{
    uint32_t head = __atomic_load_n(&page->queue_head, __ATOMIC_SEQ_CST);
    uint32_t tail = __atomic_load_n(&page->queue_tail, __ATOMIC_SEQ_CST);

    if (tail - head >= PX_SIGQUEUE)
        return;
    page->queue[tail % PX_SIGQUEUE] = *info;
    __atomic_store_n(&page->queue_tail, tail + 1, __ATOMIC_SEQ_CST);
}

void kill_post(uint32_t index, const struct px_siginfo *info)
{
    struct px_ppage *page;
    uint64_t bit = BIT(info->signo);

    if (index <= INIT || !is_alive(index))
        return;
    if (info->signo == SIGKILL) {
        life_kill(index);
        return;
    }
    page = machine_ppage(index);
    settle_stop(index, info->signo);
    if (__atomic_load_n(&page->sig_ignored, __ATOMIC_SEQ_CST) & bit && !(__atomic_load_n(&page->sig_blocked, __ATOMIC_SEQ_CST) & bit) &&
        !(bit & BIT(SIGSTOP)))
        return;
    if (info->signo >= SIGRTMIN)
        enqueue(page, info);
    page->sig_info[info->signo] = *info;
    __atomic_fetch_or(&page->sig_pending, bit, __ATOMIC_SEQ_CST);
    bump(&page->sig_seq);
    machine_post(processes[index].lent ? processes[index].maker : index);
}

bool kill_is_due(uint32_t index)
{
    struct px_ppage *page = machine_ppage(index);

    return __atomic_load_n(&page->sig_pending, __ATOMIC_SEQ_CST) & ~__atomic_load_n(&page->sig_blocked, __ATOMIC_SEQ_CST) &
           ~__atomic_load_n(&page->sig_ignored, __ATOMIC_SEQ_CST);
}

unsigned kill_group(int32_t pgid, int signo)
{
    const struct px_siginfo info = {.signo = signo, .code = SI_KERNEL};
    unsigned reached = 0;

    for (uint32_t index = INIT + 1; index < table_end(); index++)
        if (processes[index].pgid == pgid && is_alive(index)) {
            kill_post(index, &info);
            reached++;
        }
    return reached;
}

bool kill_allowed(uint32_t caller, uint32_t target, uint64_t signo)
{
    const struct process *from = &processes[caller], *to = &processes[target];

    if (from->euid == 0 || caller == target)
        return true;
    if (from->euid == to->suid || from->euid == to->uid || from->uid == to->suid || from->uid == to->uid)
        return true;
    return signo == SIGCONT && from->sid == to->sid;
}

static int64_t send(uint32_t caller, uint32_t target, const struct px_siginfo *info)
{
    if (!kill_allowed(caller, target, (uint64_t)info->signo))
        return -EPERM;
    if (info->signo)
        kill_post(target, info);
    return 0;
}

/* The chosen ones of all processes, the caller last: a signal that ends it must not spare the others. */
static int64_t send_many(uint32_t caller, int32_t pgid, const struct px_siginfo *info)
{
    bool everybody = pgid == 0, any = false, done = false;

    for (uint32_t index = INIT + 1; index < table_end(); index++) {
        if (processes[index].state == PX_FREE || index == caller || !zone_sees(processes[caller].zone, index) || (!everybody && processes[index].pgid != pgid))
            continue;
        any = true;
        done = send(caller, index, info) == 0 || done;
    }
    if (!everybody && processes[caller].pgid == pgid) {
        any = true;
        done = send(caller, caller, info) == 0 || done;
    }
    if (done || (any && everybody))
        return done ? 0 : -EPERM;
    return any ? -EPERM : -ESRCH;
}

/* What a sender may say of himself: that he is no kernel, kill or timer. */
int32_t kill_code(int32_t code)
{
    return code >= 0 || code == SI_TKILL || code == SI_TIMER ? SI_QUEUE : code;
}

int64_t kill_call(uint32_t caller, int32_t pid, uint64_t signal, uint64_t flags, uint64_t value)
{
    uint32_t signo = (uint32_t)signal;
    struct px_siginfo info = {.signo = (int32_t)signo, .code = SI_USER, .pid = processes[caller].pid,
                              .uid = (int32_t)processes[caller].uid, .value = value};
    uint32_t target;

    if (signo > SIGNAL_MAX)
        return -EINVAL;
    if (flags & PX_KILL_SIGQUEUE) {
        info.code = kill_code((int32_t)(flags >> 32));
        info.errno_ = (int32_t)(signal >> 32);
    } else if (flags & PX_KILL_TKILL) {
        info.code = SI_TKILL;
    }
    if (!(flags & PX_KILL_SIGQUEUE))
        info.value = 0;
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid == 0)
        return send_many(caller, processes[caller].pgid, &info);
    if (pid == -1)
        return send_many(caller, 0, &info);
    if (pid < 0)
        return send_many(caller, -pid, &info);
    target = table_find_seen(caller, pid);
    return target ? send(caller, target, &info) : -ESRCH;
}
