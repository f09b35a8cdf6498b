/*
 * The life of a process: fork and its relatives, and the end. A fork is one message to proc, which makes the child's environment, and then
 * the parent's own work: it maps its memory and its capabilities into the child and starts it.
 */
#include "px_arch.h"
#include "fd/fd.h"
#include "fd/pidfd.h"
#include "px_calls.h"
#include "trace.h"

#define CLONE_THREAD 0x10000ul
#define CLONE_FS 0x200ul
#define CLONE_FILES 0x400ul
#define CLONE_SIGHAND 0x800ul
#define CLONE_SYSVSEM 0x40000ul
#define CLONE_SHARED (CLONE_FS | CLONE_FILES | CLONE_SIGHAND)
#define CLONE_NEWNS 0x20000ul
#define CLONE_NEWUSER 0x10000000ul
#define CLONE_NEWPID 0x20000000ul
#define CLONE_SPACES (CLONE_NEWNS | 0x7e000000ul) /* name spaces, of which there is one of each kind */
#define CLONE_PIDFD 0x1000ul
#define CLONE_DETACHED 0x400000ul
#define CLONE_CLEAR_SIGHAND 0x100000000ul
/* Of a process: sharing less than a thread. Old flags without meaning are let through. */
#define CLONE_NEVER 0x2000ul
#define CLONE_REFUSED (CLONE_SHARED | CLONE_NEVER)

/* What the child must know; it reads its own copy. */
static struct {
    struct px_birth as;
    bool by_thread; /* not by the first one: on another stack */
    bool traced, seized; /* by its parent's tracer */
    uint32_t options;
    struct exo_regs regs;
    struct px_thread_kept kept;
    struct px_thread_fault fault;
} birth;

static void drop_handles(uint64_t env, uint64_t ctx)
{
    if (exo_cap_delete(env) < 0 || exo_cap_delete(ctx) < 0)
        px_log("exo: fork: a handle from proc was not there\n");
}

/* Everything that the child needs besides what proc has given it. */
static int64_t fill_child(uint64_t env, enum px_clone memory)
{
    int64_t status = px_memory_clone(env, memory), done;
    uint64_t slot = PX_SLOT_FIRST_FREE;

    if (status < 0)
        return status;
    while ((done = exo_env_clone_slots(env, slot, EXO_SLOTS_MAX - slot)) > 0)
        slot += (uint64_t)done;
    return done < 0 ? -ENOMEM : 0;
}

static int64_t start_child(uint64_t env, uint64_t ctx, uint32_t index, enum px_clone memory)
{
    int64_t status = px_fd_fork_prepare(index, PX_PROC(PX_PROCTAB, index)->gen);

    if (status < 0)
        return status;
    status = fill_child(env, memory);
    if (status == 0 && exo_ctx_start(ctx) < 0)
        status = -EAGAIN;
    if (status < 0)
        px_fd_fork_failed();
    return status;
}

/* Not interruptible, but SIGKILL works: it needs nobody's cooperation. */
void px_fork_wait(int32_t pid, uint32_t index)
{
    const struct px_proc *child = PX_PROC(PX_PROCTAB, index);

    for (;;) {
        uint32_t seq = px_child_seq();
        const struct exo_predicate predicate = {(uint64_t)&px_ppage()->child_seq, seq, EXO_WAIT_WORD};

        if (child->pid != pid || child->state == PX_FREE || child->state == PX_ZOMBIE || !(child->flags & PX_PF_VFORK))
            return;
        if (px_sleep(&predicate, 1, PX_DEADLINE_NEVER) == -EXO_E_EVENT)
            px_take_events();
    }
}

/* 0 if somebody has killed the child before it could be started: then it was born, and has ended. */
static int64_t give_up(int32_t pid, int64_t error)
{
    struct exo_message message = {.word = {PX_PROC_FORK_DONE, (uint64_t)pid, 1}};

    return px_call_proc(&message) == -ESRCH ? 0 : error;
}

#define CLONE_UNTRACED 0x800000ul

/* Which event the tracer wants to hear of, or 0. */
static unsigned event_of(uint64_t flags)
{
    if (flags & CLONE_UNTRACED)
        return 0;
    if (flags & CLONE_VFORK)
        return px_trace_wants(PTRACE_O_TRACEVFORK) ? PTRACE_EVENT_VFORK : 0;
    return px_trace_wants(PTRACE_O_TRACEFORK) ? PTRACE_EVENT_FORK : 0;
}

static void note_trace(struct exo_message *message, unsigned event)
{
    const struct px_thread *thread = px_thread();

    birth.traced = event != 0;
    if (!event)
        return;
    birth.seized = thread->trace->seized;
    birth.options = thread->trace->options;
    message->word[1] |= PX_FORK_TRACED;
    message->word[2] = (uint64_t)(int64_t)thread->tid;
}

int64_t px_fork_start(const struct px_birth *as, uint64_t env, uint64_t ctx, enum px_clone memory)
{
    const struct px_thread *thread = px_thread();
    int64_t status;

    birth.as = *as;
    birth.kept = thread->kept;
    birth.fault = thread->fault;
    birth.by_thread = thread->number != 0;
    if (birth.by_thread)
        birth.regs = *thread->regs;
    px_arch_fpu_keep(NULL);
    status = start_child(env, ctx, as->index, memory);
    drop_handles(env, ctx);
    return status;
}

/* The descriptor can be had, and its number told. */
static int64_t check_pidfd(px_user pidfd)
{
    int32_t number;

    if (px_copy_in(&number, pidfd, sizeof(number)) < 0 || px_copy_out(pidfd, &number, sizeof(number)) < 0)
        return -EFAULT;
    return px_fd_room();
}

/* pidfd: where CLONE_PIDFD wants one told */
static int64_t do_fork(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls, px_user pidfd)
{
    bool vfork = (flags & (CLONE_VFORK | CLONE_VM)) == (CLONE_VFORK | CLONE_VM);
    struct px_birth as = {.flags = flags, .stack = stack, .child_tid = child_tid};
    struct exo_message message = {.word = {PX_PROC_FORK}};
    uint32_t seq = px_child_seq();
    unsigned event = event_of(flags);
    int64_t status;

    status = flags & CLONE_PIDFD ? check_pidfd(pidfd) : 0;
    if (status < 0)
        return status;
    note_trace(&message, event);
    if (vfork && !(flags & (CLONE_PIDFD | CLONE_CLEAR_SIGHAND)) && !px_threads.many && !px_strace_on && !px_traced)
        return px_lend(flags, stack, parent_tid, child_tid, tls);
    if (flags & CLONE_VFORK)
        message.word[1] |= PX_FORK_VFORK;
    if (flags & CLONE_PARENT)
        message.word[1] |= PX_FORK_PARENT;
    message.word[1] |= px_fork_signal(flags);
    px_arch_child_state(px_msg(), flags & CLONE_SETTLS ? tls : px_arch_tls());
    status = px_call_proc(&message);
    if (status < 0)
        return status == -EIO ? -EAGAIN : status;
    as.pid = (int32_t)message.word[1];
    as.index = (uint32_t)message.word[2];
    status = px_fork_start(&as, message.word[3], message.word[4], vfork ? PX_CLONE_SAME : PX_CLONE_COPIES);
    if (status < 0)
        status = give_up(as.pid, status);
    if (status < 0)
        return status;
    if (flags & CLONE_PARENT_SETTID)
        (void)!px_copy_out(parent_tid, &as.pid, sizeof(as.pid)); /* Linux takes no notice of a bad address either */
    if (flags & CLONE_PIDFD)
        px_pidfd_tell(as.pid, as.index, pidfd);
    if (!(flags & CLONE_PARENT) && !px_fork_signal(flags))
        px_children_forked(as.pid, seq);
    if (event)
        px_trace_event(event, (uint64_t)as.pid);
    if (flags & CLONE_VFORK)
        px_fork_wait(as.pid, as.index);
    if (flags & CLONE_VFORK && px_trace_wants(PTRACE_O_TRACEVFORKDONE))
        px_trace_event(PTRACE_EVENT_VFORK_DONE, (uint64_t)as.pid);
    return as.pid;
}

/* What the program, or the libOS for it, goes on with. */
static void go_on(struct exo_regs *regs)
{
    if (birth.as.exec) {
        px_exec_go_on(birth.as.exec);
    } else if (!birth.as.begun) {
        if (birth.as.flags & CLONE_CLEAR_SIGHAND)
            px_signal_clear();
        if (birth.as.flags & CLONE_CHILD_SETTID)
            (void)!px_copy_out(birth.as.child_tid, &birth.as.pid, sizeof(birth.as.pid));
        px_thread()->clear_tid = birth.as.flags & CLONE_CHILD_CLEARTID ? birth.as.child_tid : 0;
        if (birth.as.stack)
            px_arch_set_stack(regs, birth.as.stack);
        px_arch_set_result(regs, 0);
    } else if (birth.as.forced.signo) {
        px_thread()->fault = birth.fault;
        px_signal_force(&birth.as.forced);
    }
}

/* In the child, on the copy of the parent's stack; the program's registers are the parent's at its call, or the child's if it has begun in its
 * parent's environment (lend.c). */
void px_child_start(void)
{
    struct exo_regs *regs = &px_first_regs;

    px_lent = false;
    px_entry_slow &= ~PX_SLOW_LENT;
    px_thread_start(&birth.kept);
    px_files_fork_child(); /* early: fs frees nothing while a child has not said what it holds */
    if (birth.by_thread)
        *regs = birth.regs;
    px_arch_fpu_give(NULL);
    px_signal_fork_child();
    px_timer_fork_child();
    px_demand_fork_child();
    px_vma_fork_child();
    px_rewrite_fork_child();
    px_children_reset();
    px_fd_fork_child();
    px_code_changed();
    go_on(regs);
    px_trace_fork_child(birth.traced, birth.seized, birth.options);
    px_leave_again(regs);
}

int64_t px_sys_fork(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return do_fork(SIGCHLD, 0, 0, 0, 0, 0);
}

int64_t px_sys_vfork(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return do_fork(SIGCHLD | CLONE_VFORK | CLONE_VM, 0, 0, 0, 0, 0);
}

/* A thread shares all that there is: to share memory but not descriptors is a thing of its own that nobody asks for. */
static int64_t clone_thread(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls)
{
    int64_t made;

    if ((flags & CLONE_SHARED) != CLONE_SHARED || flags & (CLONE_NEVER | CLONE_VFORK))
        return -ENOSYS;
    made = px_thread_make(flags, stack, parent_tid, child_tid, tls);
    if (made > 0 && px_trace_wants(PTRACE_O_TRACECLONE))
        px_trace_event(PTRACE_EVENT_CLONE, (uint64_t)made);
    return made;
}

/* Linux's checks in Linux's order. */
static int64_t check_clone(uint64_t flags, uint64_t tls)
{
    if (flags & CLONE_FS && flags & (CLONE_NEWNS | CLONE_NEWUSER))
        return -EINVAL;
    if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) || (flags & CLONE_SIGHAND && !(flags & CLONE_VM)))
        return -EINVAL;
    if (flags & CLONE_THREAD && flags & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_PIDFD))
        return -EINVAL;
    if (flags & CLONE_PIDFD && flags & CLONE_DETACHED)
        return -EINVAL;
    if (flags & CLONE_SPACES)
        return px_self()->euid != 0 && !(flags & CLONE_NEWUSER) ? -EPERM : -EINVAL;
    return flags & CLONE_SETTLS && tls >= EXO_USER_TOP ? -EPERM : 0;
}

static int64_t clone(uint64_t flags, uint64_t signal, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls, px_user pidfd)
{
    int64_t status = check_clone(flags, tls);

    if (status < 0)
        return status;
    if (flags & CLONE_THREAD)
        return clone_thread(flags, stack, parent_tid, child_tid, tls);
    if (flags & CLONE_REFUSED || (flags & CLONE_VM && !(flags & CLONE_VFORK)))
        return -ENOSYS;
    return do_fork(flags | signal, stack, parent_tid, child_tid, tls, pidfd);
}

int64_t px_sys_clone(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls, uint64_t f)
{
    (void)f;
    if (flags & CLONE_PIDFD && flags & CLONE_PARENT_SETTID)
        return -EINVAL; /* both would be told at one place */
    return clone(flags & 0xfffffffful & ~CSIGNAL, flags & CSIGNAL, stack, parent_tid, child_tid, tls, parent_tid);
}

struct clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls, set_tid, set_tids, cgroup;
};
#define CLONE_ARGS_FIRST 64u /* bytes that there have always been */
#define CLONE_INTO_CGROUP 0x200000000ul

static int64_t check_clone_args(const struct clone_args *args)
{
    if (args->flags & (CSIGNAL | CLONE_DETACHED) || args->flags >> 34 || args->exit_signal > SIGRTMAX || args->set_tid || args->set_tids ||
        !args->stack != !args->stack_bytes || (args->flags & (CLONE_THREAD | CLONE_PARENT) && args->exit_signal))
        return -EINVAL;
    if (args->flags & CLONE_SIGHAND && args->flags & CLONE_CLEAR_SIGHAND)
        return -EINVAL;
    if (args->stack && px_access(args->stack, args->stack_bytes) < 0)
        return -EINVAL;
    return args->flags & CLONE_INTO_CGROUP ? -EBADF : 0; /* no descriptor is one of a control group */
}

int64_t px_sys_clone3(uint64_t from, uint64_t bytes, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct clone_args args;
    int64_t status = px_copy_sized(&args, sizeof(args), CLONE_ARGS_FIRST, from, bytes);

    (void)c, (void)d, (void)e, (void)f;
    if (status == 0)
        status = check_clone_args(&args);
    if (status < 0)
        return status;
    return clone(args.flags, args.exit_signal, args.stack + args.stack_bytes, args.parent_tid, args.child_tid, args.tls, args.pidfd);
}

#define UNSHARE_ALONE (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define UNSHARE_KNOWN (UNSHARE_ALONE | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SPACES | 0x80ul /* CLONE_NEWTIME */)

/* A process shares with nobody what its threads share, and these share all of it. */
int64_t px_sys_unshare(uint64_t flags, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)b, (void)c, (void)d, (void)e, (void)f;
    if (flags & ~UNSHARE_KNOWN)
        return -EINVAL;
    if (flags & (UNSHARE_ALONE | CLONE_NEWUSER) && px_threads.live > 1)
        return -EINVAL;
    if (flags & (CLONE_SPACES | 0x80ul))
        return px_self()->euid != 0 && !(flags & CLONE_NEWUSER) ? -EPERM : -EINVAL;
    return flags & (CLONE_FS | CLONE_FILES) && px_threads.live > 1 ? -ENOSYS : 0;
}

/* No descriptor is one of a name space. */
int64_t px_sys_setns(uint64_t fd, uint64_t kind, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)kind, (void)c, (void)d, (void)e, (void)f;
    return px_fd_get((int)fd) ? -EINVAL : -EBADF;
}

_Noreturn void px_exit(int status)
{
    struct exo_message message;

    if (px_trace_wants(PTRACE_O_TRACEEXIT))
        px_trace_event(PTRACE_EVENT_EXIT, (uint32_t)status);
    px_threads_release();
    px_sem_exit();
    px_rights_exit();
    px_fd_exit();
    if (px_strace_on)
        px_strace_exited(status);
    message = (struct exo_message){.word = {PX_PROC_EXIT, (uint32_t)status, px_fd_fs_waits}};
    (void)!exo_ep_call(PX_SLOT_PROC, &message); /* does not come back */
    for (;;)
        if (exo_env_destroy(PX_SLOT_SELF, (uint32_t)status) < 0)
            (void)!exo_yield();
}

int64_t px_sys_exit(uint64_t status, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)b, (void)c, (void)d, (void)e, (void)f;
    px_thread_end((int)(status & 0xff) << 8);
}

int64_t px_sys_exit_group(uint64_t status, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)b, (void)c, (void)d, (void)e, (void)f;
    px_exit((int)(status & 0xff) << 8);
}

#define REBOOT_MAGIC1 0xfee1deadu
#define REBOOT_CAD_ON 0x89abcdefu
#define REBOOT_CAD_OFF 0u
#define REBOOT_HALT 0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_RESTART 0x1234567u

int64_t px_sys_reboot(uint64_t magic1, uint64_t magic2, uint64_t command, uint64_t d, uint64_t e, uint64_t f)
{
    struct exo_message message = {.word = {PX_PROC_REBOOT}};

    (void)d, (void)e, (void)f;
    if (px_self()->euid != 0)
        return -EPERM;
    if ((uint32_t)magic1 != REBOOT_MAGIC1 || (magic2 != 672274793 && magic2 != 85072278 && magic2 != 369367448 && magic2 != 537993216))
        return -EINVAL;
    switch ((uint32_t)command) {
    case REBOOT_CAD_ON:
    case REBOOT_CAD_OFF: return 0;
    case REBOOT_POWER_OFF: message.word[1] = 1; break;
    case REBOOT_RESTART: message.word[1] = 2; break;
    case REBOOT_HALT: message.word[1] = 3; break;
    default: return -EINVAL;
    }
    return px_call_proc(&message);
}
