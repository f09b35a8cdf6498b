/*
 * A vfork child in its parent's environment (docs/decisions/0035-vfork.md). Until it executes a program or ends, its parent waits and both have one memory:
 * so the child runs where the parent ran, in the same context, and is no more than a pid, its own signal dispositions and mask, and a place to return to
 * when it is over. The process page, descriptors, directories, timers and capabilities stay the parent's. Calls that touch none of these, or nothing
 * that a child has of its own, are done here (`here`). Before any other one, before a signal and after a fault that nothing resolves, the child
 * gets an environment of its own, as a fork makes it, and goes on there: it is claimed. execve is done here as far as it can be refused, so the
 * new program gets an environment without the old one's memory.
 *
 * What waits for the parent meanwhile, signals above all, waits until it goes on. Several threads, and a process that is traced, fork instead.
 */
#include "px_arch.h"
#include "px_calls.h"

PX_HOT_DATA bool px_lent;

static struct lent { /* on the heap: who never lends copies none of it to his children */
    int32_t pid;
    uint32_t index, seq; /* of the child; child_seq before it */
    uint64_t flags;      /* of clone */
    px_user child_tid;
    /* The parent's: */
    uint64_t tls;
    struct exo_regs regs;
    struct px_thread_kept kept;
    struct px_signal_kept signals;
    _Alignas(16) uint8_t fpu[512];
} *lent;

static void keep_parent(void)
{
    const struct px_thread *thread = px_thread();

    lent->tls = px_arch_tls();
    lent->regs = *thread->regs;
    px_arch_called(&lent->regs);
    lent->kept = thread->kept;
    px_signal_keep(&lent->signals);
    px_arch_fpu_keep(lent->fpu);
}

int64_t px_lend(uint64_t flags, uint64_t stack, px_user parent_tid, px_user child_tid, uint64_t tls)
{
    uint64_t as = PX_FORK_VFORK | PX_FORK_LENT | (flags & CLONE_PARENT ? PX_FORK_PARENT : 0) | px_fork_signal(flags);
    struct exo_message message = {.word = {PX_PROC_FORK, as}};
    uint32_t seq = px_child_seq();
    int64_t status;

    if (!lent)
        lent = px_alloc(sizeof(*lent));
    if (!lent)
        return -ENOMEM;
    status = px_call_proc(&message);
    if (status < 0)
        return status == -EIO ? -EAGAIN : status;
    lent->pid = (int32_t)message.word[1];
    lent->index = (uint32_t)message.word[2];
    lent->seq = seq;
    lent->flags = flags;
    lent->child_tid = child_tid;
    keep_parent();
    px_lent = true;
    px_entry_slow |= PX_SLOW_LENT;
    if (flags & CLONE_PARENT_SETTID)
        (void)!px_copy_out(parent_tid, &lent->pid, sizeof(lent->pid)); /* Linux takes no notice of a bad address either */
    if (flags & CLONE_CHILD_SETTID)
        (void)!px_copy_out(child_tid, &lent->pid, sizeof(lent->pid));
    if (flags & CLONE_SETTLS)
        px_arch_set_tls(tls);
    if (stack)
        px_arch_set_stack(px_thread()->regs, stack);
    return 0;
}

/* The parent goes on; its result of vfork. */
static int64_t take_back(void)
{
    struct px_thread *thread = px_thread();

    px_lent = false;
    px_entry_slow &= ~PX_SLOW_LENT;
    if (px_arch_tls() != lent->tls)
        px_arch_set_tls(lent->tls);
    thread->kept = lent->kept;
    px_signal_give(&lent->signals);
    px_arch_fpu_give(lent->fpu);
    *px_regs() = lent->regs;
    px_arch_set_result(thread->regs, lent->pid);
    thread->exit_work |= PX_WORK_SIGNALS; /* those that have waited for it */
    if (!(lent->flags & CLONE_PARENT) && !px_fork_signal(lent->flags))
        px_children_forked(lent->pid, lent->seq);
    return lent->pid;
}

/* CLONE_CHILD_CLEARTID: the child no longer uses this memory. */
static void clear_tid(void)
{
    const uint32_t nobody = 0;

    if (lent->flags & CLONE_CHILD_CLEARTID && px_copy_out(lent->child_tid, &nobody, sizeof(nobody)) == 0)
        (void)!px_futex_wake(lent->child_tid, 1);
}

static int64_t end_child(int status)
{
    struct exo_message message = {.word = {PX_PROC_LENT_EXIT, (uint64_t)lent->pid, (uint64_t)status}};

    clear_tid();
    (void)!px_call_proc(&message); /* or it has been killed */
    return take_back();
}

/* The child goes on as a process of its own, the parent as after any vfork. Whom there is no memory for is killed. */
static int64_t claim(const struct px_siginfo *forced, struct px_exec *exec)
{
    struct px_birth birth = {.pid = lent->pid, .index = lent->index, .begun = true, .exec = exec};
    struct exo_message message = {.word = {PX_PROC_CLAIM, (uint64_t)lent->pid, exec != NULL}};
    int64_t status;

    if (forced)
        birth.forced = *forced;
    px_arch_child_state(px_msg(), px_arch_tls());
    if (exec)
        px_exec_describe(exec, (uint8_t *)px_msg() + PX_CLAIM_TEXT);
    status = px_call_proc(&message);
    if (status == 0)
        status = px_fork_start(&birth, message.word[3], message.word[4], exec ? PX_CLONE_LIBOS : PX_CLONE_SAME);
    if (status < 0 && status != -ESRCH) {
        message = (struct exo_message){.word = {PX_PROC_KILL, (uint64_t)lent->pid, SIGKILL}};
        (void)!px_call_proc(&message);
    }
    if (exec)
        clear_tid();
    status = take_back();
    if (!exec)
        px_fork_wait(lent->pid, lent->index);
    return status;
}

int64_t px_lend_exec(struct px_exec *exec)
{
    return claim(NULL, exec);
}

int64_t px_lend_again(void)
{
    struct exo_regs *regs = px_thread()->regs;

    px_arch_restart(regs, px_arch_number(regs));
    return claim(NULL, NULL);
}

void px_lend_force(const struct px_siginfo *info)
{
    (void)claim(info, NULL);
}

void px_lend_attend(void)
{
    if (px_thread()->events)
        (void)claim(NULL, NULL);
}

/* What concerns memory, which both have, dispositions and mask, which are kept, or only reads what is the same for both; and execve. */
static bool here(px_call *body)
{
    static px_call *const calls[] = {
        px_sys_rt_sigaction, px_sys_rt_sigprocmask, px_sys_execve, px_sys_execveat, px_sys_mmap,    px_sys_munmap,       px_sys_mprotect,
        px_sys_brk,          px_sys_mremap,         px_sys_madvise, px_sys_getuid,  px_sys_geteuid, px_sys_getgid,       px_sys_getegid,
        px_sys_time,         px_sys_gettimeofday,   px_sys_clock_gettime,
    };

    for (unsigned at = 0; at < sizeof(calls) / sizeof(calls[0]); at++)
        if (calls[at] == body)
            return true;
    return false;
}

int64_t px_lend_call(px_call *body, const uint64_t word[6])
{
    if (body == px_sys_exit || body == px_sys_exit_group)
        return end_child((int)(word[0] & 0xff) << 8);
    if (body == px_sys_getpid || body == px_sys_gettid)
        return lent->pid;
    if (body == px_sys_getppid)
        return PX_PROC(PX_PROCTAB, lent->index)->ppid;
    return here(body) ? body(word[0], word[1], word[2], word[3], word[4], word[5]) : px_lend_again();
}
