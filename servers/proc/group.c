/* Process groups, sessions and their terminals, as POSIX has them (setpgid, setsid, orphaned process groups). */
#include "proc.h"

static bool group_exists(int32_t pgid, int32_t sid)
{
    for (uint32_t index = INIT; index < table_end(); index++)
        if (processes[index].state != PX_FREE && processes[index].pgid == pgid && (sid == 0 || processes[index].sid == sid))
            return true;
    return false;
}

int64_t group_setpgid(uint32_t caller, int32_t pid, int32_t pgid)
{
    uint32_t target = pid == 0 ? caller : table_find_seen(caller, pid);
    struct process *process = &processes[target];

    if (pgid < 0 || (pgid == 0 && pid < 0))
        return -EINVAL;
    if (!target)
        return -ESRCH;
    if (process->parent == caller && target != caller) {
        if (process->sid != processes[caller].sid)
            return -EPERM;
        if (process->flags & PX_PF_EXECED)
            return -EACCES;
    } else if (target != caller) {
        return -ESRCH;
    }
    if (process->flags & PX_PF_LEADER)
        return -EPERM;
    if (pgid == 0)
        pgid = process->pid;
    if (pgid != process->pid && !group_exists(pgid, process->sid))
        return -EPERM;
    process->pgid = pgid;
    table_publish(target);
    return 0;
}

int64_t group_setsid(uint32_t caller, int32_t *sid)
{
    struct process *process = &processes[caller];

    if (process->flags & PX_PF_LEADER || group_exists(process->pid, 0))
        return -EPERM;
    process->sid = process->pgid = process->pid;
    process->tty = NO_TTY;
    process->flags |= PX_PF_LEADER;
    table_publish(caller);
    *sid = process->sid;
    return 0;
}

bool group_is_orphaned(int32_t pgid, uint32_t without)
{
    for (uint32_t index = INIT + 1; index < table_end(); index++) {
        const struct process *process = &processes[index], *parent = &processes[process->parent];

        if (process->pgid != pgid || index == without || !is_alive(index) || process->parent <= INIT)
            continue;
        if (is_alive(process->parent) && parent->pgid != pgid && parent->sid == process->sid)
            return false;
    }
    return true;
}

bool group_has_stopped(int32_t pgid)
{
    for (uint32_t index = INIT + 1; index < table_end(); index++)
        if (processes[index].pgid == pgid && processes[index].state == PX_STOPPED)
            return true;
    return false;
}

void group_set_tty(int32_t sid, int32_t tty)
{
    for (uint32_t index = INIT + 1; index < table_end(); index++)
        if (processes[index].state != PX_FREE && processes[index].sid == sid && processes[index].tty != tty) {
            processes[index].tty = tty;
            table_publish(index);
        }
}
