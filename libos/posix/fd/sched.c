/*
 * Scheduling policies, priorities and masks of processors: checked and remembered as Linux does it, told to who asks, and without effect: one scheduler for
 * all shares the processor (CAVEATS.md). They are the process's, not each thread's, and go over to children as the libOS's data.
 */
#include "entry/thread.h"
#include "fd.h"

enum { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5, SCHED_LAST };
#define SCHED_RESET_ON_FORK 0x40000000u
#define PRIORITY_MOST 99

static struct {
    int32_t policy, priority;
    bool reset;      /* a child begins with what is usual */
    int32_t of;      /* the process that set it, or an ancestor */
    uint64_t mask;   /* of processors; 0: all */
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

static int64_t set(int pid, int policy, int32_t priority, bool reset)
{
    if (takes_priority(policy) ? priority < 1 || priority > PRIORITY_MOST : priority != 0)
        return -EINVAL;
    if (takes_priority(policy) && px_self()->euid != 0 && (uint64_t)priority > px_limit(PX_LIMIT_RTPRIO))
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
    if (policy < 0 || policy >= SCHED_LAST || policy == 4)
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
    if (policy < 0 || policy > SCHED_LAST || policy == 4)
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
    if (!(mask & processors()))
        return -EINVAL;
    if (is_own((int)a))
        own.mask = mask & processors();
    return 0;
}
