/* Resource limits: kept here, inherited by fork and exec because they are libOS data. What uses one reads
 * px_limits. */
#include "fd.h"

struct px_rlimit px_limits[PX_RLIMITS] = {
    [RLIMIT_CPU] = {PX_RLIM_INFINITY, PX_RLIM_INFINITY},
    [1] = {PX_RLIM_INFINITY, PX_RLIM_INFINITY}, /* fsize */
    [2] = {PX_RLIM_INFINITY, PX_RLIM_INFINITY}, /* data */
    [RLIMIT_STACK] = {8u << 20, PX_RLIM_INFINITY},
    [4] = {0, PX_RLIM_INFINITY},                /* core */
    [5] = {PX_RLIM_INFINITY, PX_RLIM_INFINITY}, /* rss */
    [6] = {PX_PROCS_MAX - 1, PX_PROCS_MAX - 1}, /* nproc */
    [RLIMIT_NOFILE] = {PX_FD_SOFT, PX_FD_MAX},
    [8] = {8u << 20, 8u << 20},                  /* memlock */
    [9] = {PX_RLIM_INFINITY, PX_RLIM_INFINITY},  /* as */
    [10] = {PX_RLIM_INFINITY, PX_RLIM_INFINITY}, /* locks */
    [11] = {PX_PROCS_MAX - 1, PX_PROCS_MAX - 1}, /* sigpending */
    [12] = {819200, 819200},                     /* msgqueue */
    [13] = {0, 0},                               /* nice */
    [14] = {0, 0},                               /* rtprio */
    [15] = {PX_RLIM_INFINITY, PX_RLIM_INFINITY}, /* rttime */
};

static int64_t check_new(unsigned which, const struct px_rlimit *limit)
{
    if (limit->soft > limit->hard)
        return -EINVAL;
    if (which == RLIMIT_NOFILE && limit->hard > PX_FD_MAX)
        return -EPERM;
    if (limit->hard > px_limits[which].hard && px_self()->euid != 0)
        return -EPERM;
    return 0;
}

/* Of this process; of another one only if it is this one by number: limits are private to each. */
static int64_t limit_call(int pid, unsigned which, px_user new_limit, px_user old_limit)
{
    struct px_rlimit wanted, old;
    int64_t result;

    if (which >= PX_RLIMITS)
        return -EINVAL;
    if (pid != 0 && pid != px_self()->pid)
        return -EPERM;
    old = px_limits[which];
    if (new_limit) {
        if (px_copy_in(&wanted, new_limit, sizeof wanted) != 0)
            return -EFAULT;
        result = check_new(which, &wanted);
        if (result < 0)
            return result;
    }
    if (old_limit && px_copy_out(old_limit, &old, sizeof old) != 0)
        return -EFAULT;
    if (!new_limit)
        return 0;
    px_limits[which] = wanted;
    if (which == RLIMIT_CPU)
        px_timer_cpu_limit(wanted.soft, wanted.hard);
    return 0;
}

PX_SYS(getrlimit)
{
    return b ? limit_call(0, (unsigned)a, 0, b) : -EFAULT;
}

PX_SYS(setrlimit)
{
    return b ? limit_call(0, (unsigned)a, b, 0) : -EFAULT;
}

PX_SYS(prlimit64)
{
    return limit_call((int)a, (unsigned)b, c, d);
}
