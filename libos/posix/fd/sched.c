/*
 * Scheduling policies, priorities and masks of processors: checked and remembered as Linux does it, told to who asks, and without effect: one scheduler for
 * all shares the processor (CAVEATS.md). They are the process's, not each thread's, and go over to children as the libOS's data.
 */
#include "entry/thread.h"
#include "fd.h"

enum { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5, SCHED_DEADLINE };
#define SCHED_RESET_ON_FORK 0x40000000u
#define PRIORITY_MOST 99

static struct {
    int32_t policy, priority;
    bool reset;      /* a child begins with what is usual */
    int32_t of;      /* the process that set it, or an ancestor */
    uint64_t mask;   /* of processors; 0: all */
    uint64_t runtime, deadline, period; /* SCHED_DEADLINE's, in ns */
} own;

static bool process_exists(int pid)
{
    return px_process_find(pid) || px_thread_find(pid);
}

static bool is_own(int pid)
{
    return pid == 0 || pid == px_self()->pid || px_thread_find(pid);
}

/* SCHED_RESET_ON_FORK is looked at when somebody asks. */
static void look_at_fork(void)
{
    if (own.reset && own.of != px_self()->pid) {
        own.policy = own.priority = 0;
        own.reset = false;
    }
}

static bool takes_priority(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

PX_SYS(sched_yield)
{
    if (!px_threads.many) {
        (void)!exo_yield();
        return 0;
    }
    px_unlock();
    (void)!exo_yield();
    px_lock();
    return 0;
}

PX_SYS(sched_getscheduler)
{
    look_at_fork();
    if ((int)a < 0)
        return -EINVAL;
    if (!process_exists((int)a))
        return -ESRCH;
    return is_own((int)a) ? own.policy | (own.reset ? (int64_t)SCHED_RESET_ON_FORK : 0) : SCHED_OTHER;
}

/* May this process change how the other one runs? */
static bool may_change(int pid)
{
    const struct px_proc *self = px_self(), *other = is_own(pid) ? self : px_process_find(pid);

    return other && (self->euid == 0 || self->euid == other->euid || self->euid == other->uid);
}

static bool known_policy(int policy)
{
    return policy >= 0 && policy <= SCHED_IDLE && policy != 4;
}

static int64_t set(int pid, int policy, int32_t priority, bool reset)
{
    if (takes_priority(policy) ? priority < 1 || priority > PRIORITY_MOST : priority != 0)
        return -EINVAL;
    if (takes_priority(policy) && px_self()->euid != 0 && (uint64_t)priority > px_limit(PX_LIMIT_RTPRIO))
        return -EPERM;
    if (!may_change(pid))
        return -EPERM;
    if (is_own(pid) && own.policy == SCHED_IDLE && policy != SCHED_IDLE && px_self()->euid != 0 &&
        20 - px_self()->nice > (int64_t)px_limit(PX_LIMIT_NICE))
        return -EPERM;
    if (!is_own(pid))
        return policy == SCHED_OTHER && priority == 0 ? 0 : -EPERM; /* nobody can reach it there */
    own.policy = policy;
    own.priority = priority;
    own.reset = reset;
    own.of = px_self()->pid;
    return 0;
}

PX_SYS(sched_setscheduler)
{
    int policy = (int)((uint32_t)b & ~SCHED_RESET_ON_FORK);
    int32_t priority;

    if ((int)a < 0 || !c)
        return -EINVAL;
    if (px_copy_in(&priority, c, sizeof priority) != 0)
        return -EFAULT;
    if (!process_exists((int)a))
        return -ESRCH;
    if (!known_policy(policy))
        return -EINVAL;
    look_at_fork();
    return set((int)a, policy, priority, (uint32_t)b & SCHED_RESET_ON_FORK);
}

PX_SYS(sched_getparam)
{
    int32_t priority;

    look_at_fork();
    if ((int)a < 0 || !b)
        return -EINVAL;
    priority = is_own((int)a) ? own.priority : 0;
    return process_exists((int)a) ? px_copy_out(b, &priority, sizeof priority) : -ESRCH;
}

PX_SYS(sched_setparam)
{
    int32_t priority;

    if ((int)a < 0 || !b)
        return -EINVAL;
    if (px_copy_in(&priority, b, sizeof priority) != 0)
        return -EFAULT;
    if (!process_exists((int)a))
        return -ESRCH;
    look_at_fork();
    return set((int)a, is_own((int)a) ? own.policy : SCHED_OTHER, priority, own.reset);
}

static int64_t priority_end(int policy, int64_t end)
{
    if (!known_policy(policy) && policy != SCHED_DEADLINE)
        return -EINVAL;
    return takes_priority(policy) ? end : 0;
}

PX_SYS(sched_get_priority_max)
{
    return priority_end((int)a, PRIORITY_MOST);
}

PX_SYS(sched_get_priority_min)
{
    return priority_end((int)a, 1);
}

PX_SYS(sched_rr_get_interval)
{
    struct px_timespec slice = {.tv_nsec = 4000000};

    look_at_fork();
    if ((int)a < 0)
        return -EINVAL;
    if (is_own((int)a) && takes_priority(own.policy))
        slice.tv_nsec = own.policy == SCHED_RR ? 100000000 : 0;
    return process_exists((int)a) ? px_copy_out(b, &slice, sizeof slice) : -ESRCH;
}

static uint64_t processors(void)
{
    uint32_t cpus = px_info()->cpus;

    return cpus >= 64 ? ~0ull : cpus ? (1ull << cpus) - 1 : 1;
}

PX_SYS(sched_getaffinity)
{
    const uint64_t mask = is_own((int)a) && own.mask ? own.mask : processors();

    if (b < sizeof mask || b % sizeof mask)
        return -EINVAL;
    if ((int)a < 0 || !process_exists((int)a))
        return -ESRCH;
    return px_copy_out(c, &mask, sizeof mask) ? -EFAULT : (int64_t)sizeof mask;
}

PX_SYS(sched_setaffinity)
{
    uint64_t mask = 0;

    if (px_copy_in(&mask, c, b < sizeof mask ? b : sizeof mask) != 0)
        return -EFAULT;
    if ((int)a < 0 || !process_exists((int)a))
        return -ESRCH;
    if (!may_change((int)a))
        return -EPERM;
    if (!(mask & processors()))
        return -EINVAL;
    if (is_own((int)a))
        own.mask = mask & processors();
    return 0;
}

/* ---- sched_setattr, sched_getattr ------------------------------------------------------------------------------- */

struct attributes {
    uint32_t bytes, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t least, most; /* utilization, which nobody measures */
};
#define ATTRIBUTES_FIRST 48u /* bytes that there have always been */
enum { RESET_ON_FORK = 1, KEEP_POLICY = 8, KEEP_PARAMETERS = 16, FLAGS_KNOWN = 0x1f, FLAGS_UTILIZATION = 0x60 };
#define RUNTIME_LEAST 1024u
#define PERIOD_LEAST 100000u
#define PERIOD_MOST ((1ull << 22) * 1000)

static bool good_deadline(const struct attributes *attributes)
{
    uint64_t period = attributes->period ? attributes->period : attributes->deadline;

    return attributes->deadline && attributes->runtime >= RUNTIME_LEAST && attributes->runtime <= attributes->deadline && attributes->deadline <= period &&
           period >= PERIOD_LEAST && period <= PERIOD_MOST;
}

static int64_t read_attributes(struct attributes *attributes, px_user from)
{
    const uint32_t known = sizeof *attributes;
    uint32_t bytes;
    int64_t status;

    if (px_copy_in(&bytes, from, sizeof bytes) != 0)
        return -EFAULT;
    status = px_copy_sized(attributes, sizeof *attributes, ATTRIBUTES_FIRST, from, bytes ? bytes : ATTRIBUTES_FIRST);
    if (status != -EINVAL && status != -E2BIG)
        return status;
    return px_copy_out(from, &known, sizeof known) != 0 ? -EFAULT : -E2BIG;
}

static int64_t set_deadline(int pid, const struct attributes *attributes)
{
    if (!good_deadline(attributes) || attributes->priority)
        return -EINVAL;
    if (px_self()->euid != 0 || !is_own(pid))
        return -EPERM;
    own.policy = SCHED_DEADLINE;
    own.priority = 0;
    own.reset = attributes->flags & RESET_ON_FORK;
    own.of = px_self()->pid;
    own.runtime = attributes->runtime;
    own.deadline = attributes->deadline;
    own.period = attributes->period ? attributes->period : attributes->deadline;
    return 0;
}

static int64_t set_attributes(int pid, const struct attributes *attributes)
{
    int policy = attributes->flags & KEEP_POLICY ? (is_own(pid) ? own.policy : SCHED_OTHER) : (int)attributes->policy;
    int64_t status;

    if (attributes->flags & FLAGS_UTILIZATION)
        return -EOPNOTSUPP;
    if (attributes->flags & ~(uint64_t)FLAGS_KNOWN)
        return -EINVAL;
    if (policy == SCHED_DEADLINE)
        return attributes->flags & KEEP_PARAMETERS ? 0 : set_deadline(pid, attributes);
    if (!known_policy(policy))
        return -EINVAL;
    status = set(pid, policy, attributes->flags & KEEP_PARAMETERS ? (is_own(pid) ? own.priority : 0) : (int32_t)attributes->priority,
                 attributes->flags & RESET_ON_FORK);
    if (status < 0 || takes_priority(policy) || attributes->flags & KEEP_PARAMETERS)
        return status;
    status = px_sys_setpriority(0, (uint64_t)pid, (uint64_t)(int64_t)attributes->nice, 0, 0, 0);
    return status == -EACCES ? -EPERM : status;
}

PX_SYS(sched_setattr)
{
    struct attributes attributes;
    int64_t status;

    if (!b || (int)a < 0 || (uint32_t)c)
        return -EINVAL;
    status = read_attributes(&attributes, b);
    if (status < 0)
        return status;
    if ((int32_t)attributes.policy < 0)
        return -EINVAL;
    if (!process_exists((int)a))
        return -ESRCH;
    look_at_fork();
    return set_attributes((int)a, &attributes);
}

PX_SYS(sched_getattr)
{
    struct attributes attributes = {.bytes = (uint32_t)c < sizeof attributes ? (uint32_t)c : (uint32_t)sizeof attributes};
    const struct px_proc *process;

    if (!b || (int)a < 0 || (uint32_t)c > PX_PAGE || (uint32_t)c < ATTRIBUTES_FIRST || (uint32_t)d)
        return -EINVAL;
    if (!process_exists((int)a))
        return -ESRCH;
    look_at_fork();
    if (is_own((int)a)) {
        attributes.policy = (uint32_t)own.policy;
        attributes.flags = own.reset ? RESET_ON_FORK : 0;
        attributes.priority = (uint32_t)own.priority;
    }
    process = is_own((int)a) ? px_self() : px_process_find((int)a);
    if (attributes.policy == SCHED_DEADLINE) {
        attributes.runtime = own.runtime;
        attributes.deadline = own.deadline;
        attributes.period = own.period;
    } else if (!takes_priority((int)attributes.policy) && process) {
        attributes.nice = process->nice;
    }
    return px_copy_out(b, &attributes, attributes.bytes);
}

/* ---- ioprio_set, ioprio_get ------------------------------------------------------------------------------------- */

enum { IO_NONE, IO_REALTIME, IO_BEST_EFFORT, IO_IDLE };
enum { IO_PROCESS = 1, IO_GROUP, IO_USER };
#define IO_CLASS_SHIFT 13
#define IO_LEVELS 8u

static int32_t io_priority; /* remembered like the rest: nothing here waits for a device */

static bool concerns_own(uint64_t which, int32_t who)
{
    const struct px_proc *self = px_self();

    switch (which) {
    case IO_PROCESS: return is_own(who);
    case IO_GROUP: return who == 0 || who == self->pgid;
    default: return (uint32_t)who == self->uid;
    }
}

/* 0, -EINVAL or -ESRCH */
static int64_t check_who(uint64_t which, int32_t who)
{
    if (which < IO_PROCESS || which > IO_USER)
        return -EINVAL;
    if (concerns_own(which, who))
        return 0;
    return px_sys_getpriority(which - IO_PROCESS, (uint64_t)(uint32_t)who, 0, 0, 0, 0) < 0 ? -ESRCH : 0;
}

PX_SYS(ioprio_set)
{
    uint32_t class = (uint32_t)c >> IO_CLASS_SHIFT, level = (uint32_t)c & ((1u << IO_CLASS_SHIFT) - 1);
    int64_t status;

    if (class > IO_IDLE || (class == IO_NONE && level) || ((class == IO_REALTIME || class == IO_BEST_EFFORT) && level >= IO_LEVELS))
        return -EINVAL;
    if (class == IO_REALTIME && px_self()->euid != 0)
        return -EPERM;
    status = check_who((uint32_t)a, (int32_t)b);
    if (status < 0)
        return status;
    if (!concerns_own((uint32_t)a, (int32_t)b))
        return -EPERM; /* nobody can reach it there */
    io_priority = (int32_t)c;
    return 0;
}

/* Of one process what it was set to; of several what they have, and that follows from nice where nothing was set. */
PX_SYS(ioprio_get)
{
    int64_t status = check_who((uint32_t)a, (int32_t)b);
    int32_t mine = concerns_own((uint32_t)a, (int32_t)b) ? io_priority : 0;

    if (status < 0 || a == IO_PROCESS || mine >> IO_CLASS_SHIFT)
        return status < 0 ? status : mine;
    return IO_BEST_EFFORT << IO_CLASS_SHIFT | (px_self()->nice + 20) / 5;
}
