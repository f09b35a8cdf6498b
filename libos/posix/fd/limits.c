/* Resource limits: a copy of what proc knows, inherited by fork and exec because it is libOS data. What uses one reads px_limits. */
#include "fd.h"
#include "proto/proc.h"

struct px_rlimit px_limits[PX_RLIMITS] = PX_LIMITS_FIRST;

static void adopt(unsigned which, const struct px_rlimit *limit)
{
    px_limits[which] = *limit;
    if (which == RLIMIT_CPU)
        px_timer_cpu_limit(limit->soft, limit->hard);
}

/* proc decides, and knows the limits of others. */
static int64_t ask_proc(int pid, unsigned which, const struct px_rlimit *wanted, struct px_rlimit *old)
{
    struct exo_message message = {.word = {PX_PROC_LIMIT, (uint64_t)pid, which}};
    int64_t status;

    if (wanted) {
        message.word[2] |= PX_LIMIT_SET;
        message.word[3] = wanted->soft;
        message.word[4] = wanted->hard;
    }
    status = px_call_server(PX_SLOT_PROC, &message);
    *old = (struct px_rlimit){message.word[3], message.word[4]};
    return status;
}

void px_limits_changed(void)
{
    for (unsigned which = 0; which < PX_RLIMITS; which++) {
        struct px_rlimit now;

        if (ask_proc(0, which, NULL, &now) == 0 && (now.soft != px_limits[which].soft || now.hard != px_limits[which].hard))
            adopt(which, &now);
    }
}

int64_t px_limit_of(int pid, unsigned which, struct px_rlimit *limit)
{
    return ask_proc(pid, which, NULL, limit);
}

static int64_t limit_call(int pid, unsigned which, px_user new_limit, px_user old_limit)
{
    bool own = pid == 0 || pid == px_self()->pid;
    struct px_rlimit wanted, old;
    int64_t status = 0;

    if (which >= PX_RLIMITS)
        return -EINVAL;
    if (new_limit && px_copy_in(&wanted, new_limit, sizeof wanted) != 0)
        return -EFAULT;
    old = px_limits[which];
    if (!own || new_limit)
        status = ask_proc(own ? 0 : pid, which, new_limit ? &wanted : NULL, &old);
    if (status < 0)
        return status;
    if (own && new_limit)
        adopt(which, &wanted);
    return old_limit && px_copy_out(old_limit, &old, sizeof old) != 0 ? -EFAULT : 0;
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
