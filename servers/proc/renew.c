/*
 * Set-user-ID and set-group-ID programs (decision 0032). Their ids are taken only by a process that runs in an environment which nobody but this server has
 * ever reached, and which has run no program yet: what it says is said by the libOS as it was built. fs vouches for the file.
 */
#include "proc.h"

#define PAGE_BYTES 4096u

int64_t renew_process(uint32_t index, uint64_t from, uint64_t pages)
{
    struct process *process = &processes[index];
    int32_t dumpable = process->dumpable;
    int64_t status;

    if (pages == 0 || pages > PX_RENEWAL_PAGES || from % PAGE_BYTES || from > EXO_USER_TOP - pages * PAGE_BYTES)
        return -EINVAL;
    if (process->lends) /* the environment that it runs in ends */
        life_end(process->lends, SIGKILL, false);
    ask_ended(index); /* who might ask the old ids may not the new ones */
    trace_leave(index);
    process->life++;
    process->fresh = true;
    process->dumpable = 0; /* who may trace it now would do so when it has other ids */
    status = machine_renew(index, from, pages, process->root);
    if (status == -EFAULT) {
        life_end(index, SIGKILL, false);
        return 0;
    }
    if (status < 0) {
        process->life--;
        process->fresh = false;
        process->dumpable = dumpable;
    }
    return status;
}

/* Which directory a process calls its root decides which files it takes for the system's: only root may say so. */
int64_t renew_root(uint32_t index, uint64_t node)
{
    if (processes[index].euid != 0)
        return -EPERM;
    processes[index].root = node;
    return 0;
}

int64_t renew_ids(uint32_t index, uint32_t uid, uint32_t gid, uint64_t which)
{
    struct process *process = &processes[index];

    if (!process->fresh)
        return -EPERM;
    process->fresh = false;
    if (process->flags & PX_PF_NO_NEW_PRIVS)
        return 0;
    if (which & PX_SETID_UID)
        process->euid = uid;
    if (which & PX_SETID_GID)
        process->egid = gid;
    process->suid = process->euid;
    process->sgid = process->egid;
    process->fsuid = process->euid;
    process->fsgid = process->egid;
    process->death_signal = 0;
    table_publish(index);
    return 1;
}

/* As Linux has it: what can be read out of a program depends on whose it is. */
void renew_executed(uint32_t index)
{
    struct process *process = &processes[index];

    process->fresh = process->keeps = process->may_set = false;
    process->suid = process->fsuid = process->euid;
    process->sgid = process->fsgid = process->egid;
    process->dumpable = process->uid == process->euid && process->gid == process->egid;
}
