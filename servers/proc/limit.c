/* Resource limits of all processes: who may read and change them, and RLIMIT_NPROC. */
#include <exo/string.h>

#include "proc.h"

struct px_rlimit rlimits[PX_PROCS_MAX][PX_RLIMITS];

void limits_begin(uint32_t index)
{
    static const struct px_rlimit first[PX_RLIMITS] = PX_LIMITS_FIRST;

    memcpy(rlimits[index], first, sizeof(first));
}

/* As Linux: all ids of the other must be the caller's real ones. */
static bool may_see(uint32_t caller, uint32_t index)
{
    const struct process *from = &processes[caller], *to = &processes[index];

    return caller == index || from->euid == 0 ||
           (from->uid == to->uid && from->uid == to->euid && from->uid == to->suid && from->gid == to->gid && from->gid == to->egid &&
            from->gid == to->sgid);
}

static int64_t check(uint32_t caller, uint32_t index, uint64_t which, const struct px_rlimit *set)
{
    if (set->soft > set->hard)
        return -EINVAL;
    if (which == PX_LIMIT_NOFILE && set->hard > PX_LIMIT_FILES_MAX)
        return -EPERM;
    if (set->hard > rlimits[index][which].hard && processes[caller].euid != 0)
        return -EPERM;
    return 0;
}

int64_t limit_call(uint32_t caller, int32_t pid, uint64_t which, const struct px_rlimit *set, struct px_rlimit *old)
{
    uint32_t index = pid == 0 ? caller : table_find_seen(caller, pid);
    int64_t status;

    if (which >= PX_RLIMITS)
        return -EINVAL;
    if (!index)
        return -ESRCH;
    if (!may_see(caller, index))
        return -EPERM;
    status = set ? check(caller, index, which, set) : 0;
    if (status < 0)
        return status;
    *old = rlimits[index][which];
    if (!set)
        return 0;
    rlimits[index][which] = *set;
    if (index != caller && index != INIT && is_alive(index) && !processes[index].lent)
        machine_post_limit(index);
    return 0;
}

bool limit_allows_fork(uint32_t index)
{
    const struct process *self = &processes[index];
    uint64_t limit = rlimits[index][PX_LIMIT_NPROC].soft, count = 0;

    if (limit >= PX_PROCS_MAX || self->uid == 0 || self->euid == 0)
        return true;
    for (uint32_t other = INIT + 1; other < table_end(); other++)
        count += processes[other].state != PX_FREE && processes[other].uid == self->uid;
    return count < limit;
}
