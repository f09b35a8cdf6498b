/* User and group ids, after Linux's setuid(2), setreuid(2) and setresuid(2); an effective user id of 0 stands for the capabilities. */
#include "proc.h"

#include <exo/string.h>

#define LEAVE UINT32_MAX
#define NICE_LOW (-20)
#define NICE_HIGH 19

struct ids {
    uint32_t real, effective, saved;
};

static bool is_one_of(uint32_t id, const struct ids *ids)
{
    return id == LEAVE || id == ids->real || id == ids->effective || id == ids->saved;
}

static int64_t set_one(struct ids *ids, uint32_t id, bool root)
{
    if (id == LEAVE)
        return -EINVAL;
    if (root)
        *ids = (struct ids){id, id, id};
    else if (id == ids->real || id == ids->saved)
        ids->effective = id;
    else
        return -EPERM;
    return 0;
}

static int64_t set_two(struct ids *ids, uint32_t real, uint32_t effective, bool root)
{
    const struct ids old = *ids;

    if (!root && ((real != LEAVE && real != old.real && real != old.effective) || !is_one_of(effective, &old)))
        return -EPERM;
    if (real != LEAVE)
        ids->real = real;
    if (effective != LEAVE)
        ids->effective = effective;
    if (real != LEAVE || (effective != LEAVE && effective != old.real))
        ids->saved = ids->effective;
    return 0;
}

static int64_t set_three(struct ids *ids, uint32_t real, uint32_t effective, uint32_t saved, bool root)
{
    if (!root && (!is_one_of(real, ids) || !is_one_of(effective, ids) || !is_one_of(saved, ids)))
        return -EPERM;
    ids->real = real != LEAVE ? real : ids->real;
    ids->effective = effective != LEAVE ? effective : ids->effective;
    ids->saved = saved != LEAVE ? saved : ids->saved;
    return 0;
}

static bool is_root(const struct ids *users)
{
    return is_one_of(0, users);
}

static int64_t change(struct ids *users, struct ids *groups, uint64_t what, uint32_t first, uint32_t second, uint32_t third,
                      bool may_set)
{
    bool root = users->effective == 0 || may_set;

    switch (what) {
    case PX_CRED_UID: return set_one(users, first, root);
    case PX_CRED_GID: return set_one(groups, first, root);
    case PX_CRED_REUID: return set_two(users, first, second, root);
    case PX_CRED_REGID: return set_two(groups, first, second, root);
    case PX_CRED_RESUID: return set_three(users, first, second, third, root);
    case PX_CRED_RESGID: return set_three(groups, first, second, third, root);
    default: return -EINVAL;
    }
}

/* setfsuid, setfsgid: what access to files goes by alone. */
static int64_t set_for_files(uint32_t index, bool user, uint32_t id)
{
    struct process *process = &processes[index];
    const struct ids users = {process->uid, process->euid, process->suid}, groups = {process->gid, process->egid, process->sgid};
    uint32_t *mine = user ? &process->fsuid : &process->fsgid;

    if (id == LEAVE || id == *mine)
        return 0;
    if (process->euid != 0 && !process->may_set && !is_one_of(id, user ? &users : &groups))
        return -EPERM;
    *mine = id;
    process->dumpable = 0;
    process->death_signal = 0;
    table_publish(index);
    return 0;
}

int64_t credentials_set(uint32_t index, uint64_t what, uint32_t first, uint32_t second, uint32_t third, struct px_cred_ids *thread)
{
    struct process *process = &processes[index];
    struct ids users = {process->uid, process->euid, process->suid}, groups = {process->gid, process->egid, process->sgid};
    struct ids own_users = users, own_groups = groups;
    bool was_root = is_root(&users), may_set = process->may_set && !(what & PX_CRED_WITHOUT), root = process->euid == 0 || may_set;
    int64_t status;

    what &= ~(uint64_t)PX_CRED_WITHOUT;
    if (what == PX_CRED_FSUID || what == PX_CRED_FSGID)
        return set_for_files(index, what == PX_CRED_FSUID, first);
    if (thread) {
        users = (struct ids){thread->uid, thread->euid, thread->suid};
        groups = (struct ids){thread->gid, thread->egid, thread->sgid};
    }
    status = change(&users, &groups, what, first, second, third, may_set);
    if (status == 0 && thread) { /* it says by what it goes, so what it comes to must be the process's to have */
        status = set_three(&own_users, users.real, users.effective, users.saved, root);
        if (status == 0)
            status = set_three(&own_groups, groups.real, groups.effective, groups.saved, root);
        *thread = (struct px_cred_ids){users.real, users.effective, users.saved, groups.real, groups.effective, groups.saved};
    }
    if (status < 0)
        return status;
    if (process->euid != users.effective || process->egid != groups.effective) {
        process->dumpable = 0;
        process->death_signal = 0;
    }
    process->uid = users.real;
    process->euid = users.effective;
    process->suid = users.saved;
    if (is_root(&users))
        process->may_set = false;
    else if (was_root)
        process->may_set = process->keeps;
    process->gid = groups.real;
    process->egid = groups.effective;
    process->sgid = groups.saved;
    if (what == PX_CRED_UID || what == PX_CRED_REUID || what == PX_CRED_RESUID)
        process->fsuid = process->euid;
    else
        process->fsgid = process->egid;
    table_publish(index);
    return 0;
}

int64_t credentials_set_groups(uint32_t index, const uint32_t *groups, uint64_t count)
{
    struct px_proc *entry = table_entry(index);

    if (processes[index].euid != 0 && !processes[index].may_set)
        return -EPERM;
    if (count > sizeof(entry->groups) / sizeof(entry->groups[0]))
        return -EINVAL;
    table_change_begin();
    for (uint64_t at = 0; at < count; at++) { /* in order, as Linux keeps them */
        uint64_t to = at;

        for (; to > 0 && entry->groups[to - 1] > groups[at]; to--)
            entry->groups[to] = entry->groups[to - 1];
        entry->groups[to] = groups[at];
    }
    entry->ngroups = (uint32_t)count;
    table_change_end();
    zone_show(index);
    return 0;
}

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

static bool is_meant(uint32_t caller, uint32_t index, uint64_t which, uint32_t who)
{
    const struct process *process = &processes[index], *self = &processes[caller];

    if (process->state == PX_FREE || !zone_sees(self->zone, index))
        return false;
    switch (which) {
    case PRIO_PROCESS: return who == 0 ? index == caller : process->pid == (int32_t)who;
    case PRIO_PGRP: return process->pgid == (who == 0 ? self->pgid : (int32_t)who);
    default: return process->uid == (who == 0 ? self->uid : who);
    }
}

int64_t credentials_set_priority(uint32_t index, uint64_t which, uint32_t who, int64_t value)
{
    const struct process *self = &processes[index];
    int64_t result = -ESRCH;

    if (which > PRIO_USER)
        return -EINVAL;
    value = value < NICE_LOW ? NICE_LOW : value > NICE_HIGH ? NICE_HIGH : value;
    for (uint32_t at = INIT; at < table_end(); at++) {
        struct process *process = &processes[at];

        if (!is_meant(index, at, which, who))
            continue;
        if (self->euid != 0 && self->euid != process->uid && self->euid != process->euid) {
            result = -EPERM;
        } else if (value < process->nice && self->euid != 0) {
            result = -EACCES;
        } else {
            process->nice = (int32_t)value;
            table_publish(at);
            if (result == -ESRCH)
                result = 0;
        }
    }
    return result;
}
